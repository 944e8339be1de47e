//! Which part of a response is its program, and what is run of it.

use std::time::Instant;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const PROMPT: &str =
    "import math\n\ndef helper(x):\n    return x\n\ndef f(x):\n    \"\"\"Doubles.\n\n  Twice.\n    \"\"\"\n";

fn asserts() -> Reference {
    serde_json::from_value(json!({"tests": ["assert f(1) == 2"]})).unwrap()
}

fn check_of(prompt: &str) -> Reference {
    let test = "def check(candidate):\n    assert candidate(1) == 2\n";
    serde_json::from_value(json!({"prompt": prompt, "entry_point": "f", "test": test})).unwrap()
}

fn extracted(response: &str) -> String {
    match find(response, &asserts(), "python") {
        Found::Program(program) => program.extracted,
        other => panic!("{response:?}: {other:?}"),
    }
}

fn run(response: &str, reference: &Reference) -> Vec<(&'static str, String)> {
    match find(response, reference, "python") {
        Found::Program(program) => {
            program.sources.into_iter().map(|source| (source.name, source.text)).collect()
        }
        other => panic!("{response:?}: {other:?}"),
    }
}

#[test]
fn one_part_of_the_response_is_the_program() {
    for (response, expected) in [
        // Bare.
        ("x = 1", "x = 1"),
        ("\n \n    return 1\n\n", "    return 1"),
        ("\u{feff}x = 1", "x = 1"),
        ("x = 1\r\ny = 2\rz = 3", "x = 1\ny = 2\nz = 3"),
        ("a `b` c", "a `b` c"),
        // Fenced.
        ("So:\n```python\nx = 1\n```\nThat is it.", "x = 1\n"),
        ("So:\n~~~\nx = 1\n~~~", "x = 1\n"),
        ("So:\r\n```py\r\nx = 1\r\n```\r\n", "x = 1\n"),
        ("```python\nx = 1\n```\nBetter:\n```python\nx = 2\n```", "x = 2\n"),
        ("```\nx = 1\n```\nBetter:\n```\nx = 2\n```", "x = 2\n"),
        ("```\nx = 1\n```\nBetter:\n```Python3\nx = 2\n```", "x = 2\n"),
        ("```python\nx = 1\n```\nIt was cut:\n```python\nx = 2\ny", "x = 2\ny"),
        ("````python\n'''\n```\nx\n```\n'''\n````", "'''\n```\nx\n```\n'''\n"),
        ("So: ```python\nx = 1\n```", "x = 1\n"),
        // What comes along with a program.
        ("```python\nx = 1\n```\nOutput:\n```\n1\n```", "x = 1\n"),
        ("```python\nx = 1\n```\nOutput:\n```text\n1\n```", "x = 1\n"),
        ("```\nx = 1\n```\nOutput:\n```output\n1\n```", "x = 1\n"),
        ("```\nx = 1\n```\n```bash\npython a.py\n```", "x = 1\n"),
        ("```python\nx = 1\n```\n```python\n\n```", "x = 1\n"),
        ("```bash\nls\n```\n```text\nx = 1\n```", "x = 1\n"),
        // A fence that the prompt began.
        ("x = 1\n```", "x = 1\n"),
        ("def f():\n    pass\n```\nThis is it.", "def f():\n    pass\n"),
        ("    return 1\n```\nThis is it.", "    return 1\n"),
        ("X = 1\ndef f():\n    pass\n```\nThis is it.", "X = 1\ndef f():\n    pass\n"),
        ("This is it:\n```\nx = 1", "x = 1"),
        ("def f():\n    pass\n```python\nx = 1", "x = 1"),
        // Thinking.
        ("<think>\n```python\nx = 1\n```\n</think>\nx = 2", "x = 2"),
        ("```python\nx = 1\n```\n</think>\n\n    x = 2", "    x = 2"),
    ] {
        assert_eq!(extracted(response), expected, "{response:?}");
    }
}

#[test]
fn other_languages_have_other_labels() {
    let reference: Reference =
        serde_json::from_value(json!({"cases": [{"stdout": "1"}], "language": "cpp"})).unwrap();
    let response = "```cpp\nint main() {}\n```\n```python\nx = 1\n```\n```\nout\n```";
    let Found::Program(program) = find(response, &reference, "python") else { panic!() };
    assert_eq!(program.extracted, "int main() {}\n");
    assert_eq!(program.sources, [Source::answer("int main() {}\n")]);
    // The settings' language counts where the reference has none.
    let reference: Reference = serde_json::from_value(json!({"cases": [{"stdout": "1"}]})).unwrap();
    let Found::Program(program) = find("    x\n  y", &reference, "cpp") else { panic!() };
    assert_eq!(program.sources, [Source::answer("    x\n  y")]);
    assert_eq!(find(response, &reference, "python").program().extracted, "x = 1\n");
}

impl Found {
    pub(super) fn program(self) -> Program {
        match self {
            Self::Program(program) => program,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn no_program_is_no_answer() {
    for response in [
        "",
        " \r\n\t",
        "```python\n```",
        "Here:\n```python\n \n```\n```\n```",
        "```",
        "<think>x = 1",
        "a</think>\n",
    ] {
        let found = find(response, &asserts(), "python");
        assert!(matches!(found, Found::NoAnswer(_)), "{response:?}: {found:?}");
    }
}

#[test]
fn what_is_no_text_or_too_long_is_refused() {
    let limit = "x".repeat(MAX_PROGRAM_BYTES);
    assert_eq!(extracted(&limit).len(), MAX_PROGRAM_BYTES);
    for (response, expected) in [
        ("x = 1\0".to_owned(), "NUL character, at byte 5"),
        (format!("{limit}x"), "the program has 1048577 bytes; at most 1048576 are run"),
        (format!("```python\n{limit}\n```"), "1048577 bytes"),
        ("\u{fffd}\u{1}\u{2}PNG\u{3}\u{fffd}".to_owned(), "5 of its 8 characters"),
    ] {
        match find(&response, &asserts(), "python") {
            Found::Refused(why) => assert!(why.contains(expected), "{why}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
    // What is long but not the program does not count, and neither does a control character or two.
    assert_eq!(extracted(&format!("{limit} words\0\n```\nx = '\u{1b}[0m'\n```")), "x = '\u{1b}[0m'\n");
}

#[test]
fn a_program_that_defines_the_entry_point_stands_alone() {
    for program in [
        "def f(x):\n    return 2 * x\n",
        "from __future__ import annotations\n\ndef f(x):\n    return 2 * x\n",
        "async def f(x): pass",
        "@cache\ndef f(x): pass",
        "class f: pass",
        "class f(object):\n    pass",
        "def f[T](x: T): pass",
        "f = lambda x: 2 * x",
        "f: Callable[[int], int] = lambda x: 2 * x",
        "from importlib import f",
        "from a import (\n    b,  # first, f\n    c as f,\n)",
        "import a.b as f",
        "import a, f.b",
        "def \\\n  f(x): pass",
    ] {
        let expected = [("<prompt>", PROMPT.to_owned()), ("<answer>", program.trim_end().to_owned())];
        assert_eq!(run(program, &check_of(PROMPT)), expected, "{program}");
    }
    // All of it is indented.
    let found = run("    import re\n\n    def f(x):\n        return 2 * x\n", &check_of(PROMPT));
    assert_eq!(found[1].1, "import re\n\ndef f(x):\n    return 2 * x");
}

#[test]
fn a_program_that_does_not_define_it_continues_the_prompt() {
    for program in [
        "def g(x):\n    return 2 * x\n\nf2 = g",
        "    def f(x):\n        return x\n    return f(x) * 2",
        "import f2\nfrom f import g",
        "import f as g",
        "from a import f as g",
        "def ff(x): pass",
        "'''\ndef f(x): pass\n'''\ndef g(): pass",
        "    f = 2\n    return f * x",
        "class A:\n    f = 1",
    ] {
        let found = run(program, &check_of(PROMPT));
        let [(name, text)] = found.as_slice() else { panic!("{program}: {found:?}") };
        assert_eq!(*name, "<answer>");
        assert!(text.starts_with(PROMPT), "{program}: {text}");
    }
    assert_eq!(run("    return 2 * x", &check_of(PROMPT))[0].1, format!("{PROMPT}    return 2 * x"));
}

#[test]
fn lost_indentation_is_mended() {
    for (program, expected) in [
        // As it should be.
        ("    y = x\n    return y", "    y = x\n    return y"),
        // The first line was trimmed.
        ("y = x\n    return y", "    y = x\n    return y"),
        ("for y in x:\n        z\n    return z", "    for y in x:\n        z\n    return z"),
        ("import re\n    return re", "    import re\n    return re"),
        (
            "def g(y):\n        return y\n\n    return g(x)",
            "    def g(y):\n        return y\n\n    return g(x)",
        ),
        ("# So:\ny = x\n    return y", "# So:\n    y = x\n    return y"),
        ("y = x\n    return y\n\nprint(f(1))", "    y = x\n    return y\n\nprint(f(1))"),
        // All lines were.
        ("return 2 * x", "    return 2 * x"),
        ("y = x\n\nreturn y", "    y = x\n\n    return y"),
        ("for y in x:\n    z\nreturn z", "    for y in x:\n        z\n    return z"),
        ("if x:\n  return 1\nreturn 2", "    if x:\n      return 1\n    return 2"),
        ("import re\nreturn re", "    import re\n    return re"),
        ("def g(y):\n    return y\n\nreturn g(x)", "    def g(y):\n        return y\n\n    return g(x)"),
        ("import re\nwhile x:\n    return re", "    import re\n    while x:\n        return re"),
        ("y = (1,\n2)\nreturn y", "    y = (1,\n    2)\n    return y"),
        ("y = '''\na\n  b\n'''\nreturn y", "    y = '''\na\n  b\n'''\n    return y"),
        ("y = 'a\\\nb'\nreturn y", "    y = 'a\\\nb'\n    return y"),
        // Code that is no body.
        ("def g(x):\n    return x", "def g(x):\n    return x"),
        ("def g(x):\n        return x", "def g(x):\n        return x"),
        ("def g(x):\n        return x\nh = g", "def g(x):\n        return x\nh = g"),
        ("import re\n\nclass A:\n    pass", "import re\n\nclass A:\n    pass"),
        (
            "import re\nasync def g():\n  if x:\n    yield x",
            "import re\nasync def g():\n  if x:\n    yield x",
        ),
        ("@a\ndef g(x): pass", "@a\ndef g(x): pass"),
        ("# no code", "# no code"),
    ] {
        assert_eq!(run(program, &check_of(PROMPT))[0].1, format!("{PROMPT}{expected}"), "{program:?}");
    }
}

#[test]
fn prompts_end_in_many_ways() {
    // The prompt, and what it becomes with a body.
    for (prompt, expected) in [
        ("def f(x):", "def f(x):\n    return x"),
        ("def f(x):\n", "def f(x):\n    return x"),
        ("def f(x):\n    # Doubles.\n", "def f(x):\n    # Doubles.\n    return x"),
        ("def f(x):  # Doubles:\n", "def f(x):  # Doubles:\n    return x"),
        ("def f(x):\n  '''Doubles.'''", "def f(x):\n  '''Doubles.'''\n  return x"),
        ("def f(x):\n\t'''Doubles.'''\n\t", "def f(x):\n\t'''Doubles.'''\n\treturn x"),
        ("def f(x):\n    '''Doubles.'''\n    ", "def f(x):\n    '''Doubles.'''\n    return x"),
        ("class A:\n    def f(x):\n", "class A:\n    def f(x):\n        return x"),
        ("def f(x):\r\n    '''Doubles.'''\r\n\r\n", "def f(x):\n    '''Doubles.'''\n\n    return x"),
        ("import re\n", "import re\nreturn x"),
    ] {
        assert_eq!(run("return x", &check_of(prompt)), [("<answer>", expected.to_owned())], "{prompt:?}");
    }
    // The prompt alone: a function without a body has one then.
    for (prompt, expected) in [
        ("def f(x):", "def f(x):\n    pass\n"),
        ("def f(x):\n    # Doubles.\n", "def f(x):\n    # Doubles.\n    pass\n"),
        ("def f(x):\r\n", "def f(x):\n    pass\n"),
        ("class A:\n  def f(x):\n", "class A:\n  def f(x):\n      pass\n"),
        ("def f(x):\n    '''Doubles:'''\n", "def f(x):\n    '''Doubles:'''\n"),
        ("import re", "import re"),
    ] {
        let found = run("def f(x): return x", &check_of(prompt));
        assert_eq!(found[0], ("<prompt>", expected.to_owned()), "{prompt:?}");
    }
    for empty in ["", " \n"] {
        assert_eq!(run("return x", &check_of(empty)), [("<answer>", "return x".to_owned())]);
    }
    // Asserts that name no entry point: the answer stands under the prompt whatever it defines.
    let reference = json!({"tests": ["assert f(1) == 2"], "prompt": "import math"});
    let found = run("x = 1", &serde_json::from_value(reference).unwrap());
    assert_eq!(found, [("<prompt>", "import math".to_owned()), ("<answer>", "x = 1".to_owned())]);
}

#[test]
fn a_megabyte_of_anything_takes_no_time() {
    let pieces = [
        "`",
        "~",
        "```\n",
        "```python\n",
        "    ```\n",
        "````\n```\n",
        "x ```python\n",
        "'",
        "\"\"\"",
        "(",
        "\\",
        "\\\n",
        "\n",
        "\t",
        " ",
        "#",
        "f = ",
        "from a import f,",
        "import (f,\n",
        "@\n",
        "return\n",
        "def f",
        "a\r",
        "</think>",
        "x = '''\n'''\n",
        "if x:\n",
        "é",
        "as ",
    ];
    for piece in pieces {
        let response = piece.repeat((MAX_PROGRAM_BYTES - 16) / piece.len());
        for reference in [asserts(), check_of(PROMPT), check_of(&response)] {
            for response in
                [response.clone(), format!("```python\n{response}"), format!("y\n{response}\nreturn 1")]
            {
                let start = Instant::now();
                find(&response, &reference, "python");
                let seconds = start.elapsed().as_secs_f64();
                assert!(seconds < 1.0, "{piece:?}: {seconds} s");
            }
        }
    }
}

fn code() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "```",
        "~~~",
        "````",
        "python",
        "\n",
        "\r\n",
        "    ",
        " ",
        "\t",
        "def f(x):",
        "return x",
        "f = 1",
        "'''",
        "\"",
        "'",
        "\\",
        "#",
        "(",
        "]",
        "import ",
        "from ",
        " as ",
        "f",
        ",",
        ":",
        "@",
        "é",
        "\0",
        "<think>",
        "</think>",
        "\u{feff}",
    ]);
    proptest::collection::vec(pieces, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_response_is_read(response in code(), prompt in code(), any in any::<String>()) {
        for text in [&response, &any] {
            for reference in [asserts(), check_of(PROMPT), check_of(&prompt)] {
                if let Found::Program(program) = find(text, &reference, "python") {
                    prop_assert!(!program.extracted.trim().is_empty());
                    prop_assert!(!program.extracted.contains(['\r', '\0']));
                    prop_assert!((1..=2).contains(&program.sources.len()));
                }
            }
        }
    }

    #[test]
    fn a_fenced_program_is_found_in_any_words(
        program in "[a-z =\n()'\"#]{0,40}", before in "[^`~]{0,40}", after in "[^`~]{0,40}",
    ) {
        prop_assume!(!program.trim().is_empty() && !after.contains("think") && !after.contains("THINK"));
        let response = format!("{before}\n```python\n{program}\n```\n{after}");
        prop_assume!(!before.contains("think") && !before.contains("THINK"));
        let expected = without_blank_start(&program).to_owned() + "\n";
        prop_assert_eq!(extracted(&response), expected);
    }
}
