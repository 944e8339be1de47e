//! Which references can be read, and what the others are told.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(reference: Value) -> Result<Reference, String> {
    serde_json::from_value(reference).map_err(|error| error.to_string())
}

#[test]
fn every_form_is_read() {
    let check =
        read(json!({"prompt": "import a\n", "entry_point": "f", "test": "def check(c): pass"})).unwrap();
    assert_eq!(check.given(), ("import a\n", Some("f")));
    assert_eq!(check.language("cpp"), "python");
    assert!(matches!(check.form, Form::Check { test, .. } if test == "def check(c): pass"));
    let check = read(json!({"entry_point": "größe_2", "test": "x", "prompt": null, "limits": null})).unwrap();
    assert_eq!((check.given(), check.limits), (("", Some("größe_2")), Limits::default()));

    let asserts = read(json!({"tests": ["assert a", "assert b"]})).unwrap();
    let Form::Asserts { tests, setup, prompt, entry_point } = asserts.form else { panic!() };
    assert_eq!((tests.len(), setup, prompt, entry_point), (2, String::new(), String::new(), None));
    let fields = json!({
        "tests": "assert a", "setup": ["import a", "import b"], "prompt": "p", "entry_point": "f", "language": "python"
    });
    let Form::Asserts { tests, setup, prompt, entry_point } = read(fields).unwrap().form else { panic!() };
    assert_eq!((tests, setup), (vec!["assert a".to_owned()], "import a\nimport b".to_owned()));
    assert_eq!((prompt, entry_point), ("p".to_owned(), Some("f".to_owned())));

    let cases = read(
        json!({"cases": [{"stdin": "1\n", "stdout": "2"}, {"stdout": ""}, {"stdin": null, "stdout": "3"}]}),
    );
    let cases = cases.unwrap();
    assert_eq!((cases.language("cpp"), cases.given()), ("cpp", ("", None)));
    let Form::Cases { cases, comparison } = cases.form else { panic!() };
    assert_eq!(cases[0], Case { stdin: "1\n".into(), stdout: "2".into() });
    assert_eq!(cases[2], Case { stdin: String::new(), stdout: "3".into() });
    assert_eq!(comparison, Comparison { layout: Layout::Tokens, tolerance: None });
    let fields =
        json!({"cases": [{"stdout": "1.0"}], "tolerance": 1e-6, "compare": "tokens", "language": "rust"});
    let cases = read(fields).unwrap();
    assert_eq!(cases.language("cpp"), "rust");
    assert!(matches!(cases.form, Form::Cases { comparison, .. } if comparison.tolerance == Some(1e-6)));
    let cases = read(json!({"cases": [{"stdout": "1"}], "compare": "lines"})).unwrap();
    assert!(matches!(cases.form, Form::Cases { comparison, .. } if comparison.layout == Layout::Lines));

    let files = read(json!({"files": {"test_a.py": "x", "conftest.py": ""}})).unwrap();
    assert!(matches!(files.form, Form::Files { files, module } if files.len() == 2 && module == "solution"));
    let files = read(json!({"files": {"a_test.py": "x"}, "module": "mine"})).unwrap();
    assert!(matches!(files.form, Form::Files { module, .. } if module == "mine"));
}

#[test]
fn cases_come_in_the_spellings_of_data_sets() {
    let expected = read(json!({"cases": [{"stdin": "1\n", "stdout": "2\n"}]})).unwrap();
    let apps = json!({"inputs": ["1\n"], "outputs": ["2\n"], "fn_name": null});
    for reference in [
        apps.clone(),
        apps.to_string().into(),
        json!({"cases": apps.clone()}),
        json!({"cases": apps.to_string(), "setup": null}),
        json!({"cases": [{"stdin": "1\n", "stdout": "2\n"}], "inputs": null}),
    ] {
        assert_eq!(read(reference.clone()).as_ref(), Ok(&expected), "{reference}");
    }
    for (reference, part) in [
        (json!({"inputs": [[1]], "outputs": [2], "fn_name": "f"}), "`fn_name` is \"f\""),
        (json!({"inputs": ["1"], "cases": []}), "`cases` beside `inputs` and `outputs`"),
        (json!({"outputs": ["1"]}), "there is no `inputs`"),
        (json!({"inputs": [], "outputs": []}), "at least one case"),
        (json!({"inputs": ["1"], "outputs": [""]}), "must expect some output"),
        (json!("assert f(1) == 1"), "or a text that is the JSON of one"),
        (json!("[]"), "or a text that is the JSON of one"),
        (json!(["assert f(1) == 1"]), "it must be an object with tests"),
        (json!(null), "it must be an object with tests"),
    ] {
        let error = read(reference.clone()).unwrap_err();
        assert!(error.contains(part), "{reference}: {error}");
    }
}

#[test]
fn limits_are_read() {
    let reference = read(json!({
        "tests": ["assert a"], "limits": {"timeout_s": 2.5, "memory_mb": 64, "output_kb": 1, }
    }));
    let expected =
        Limits { timeout: Some(Duration::from_millis(2500)), memory_mb: Some(64), output_kb: Some(1) };
    assert_eq!(reference.unwrap().limits, expected);
    let reference = read(json!({"tests": ["assert a"], "limits": {"timeout_s": null, "memory_mb": 16}}));
    assert_eq!(reference.unwrap().limits, Limits { memory_mb: Some(16), ..Limits::default() });
}

#[test]
fn bad_references_say_what_is_wrong() {
    let check = |key: &str, value: Value| {
        let mut reference = json!({"entry_point": "f", "test": "def check(c): pass"});
        reference[key] = value;
        reference
    };
    let asserts = |key: &str, value: Value| {
        let mut reference = json!({"tests": ["assert a"]});
        reference[key] = value;
        reference
    };
    let cases = |key: &str, value: Value| {
        let mut reference = json!({"cases": [{"stdout": "1"}]});
        reference[key] = value;
        reference
    };
    let files = |key: &str, value: Value| {
        let mut reference = json!({"files": {"test_a.py": ""}});
        reference[key] = value;
        reference
    };
    let file = |name: &str| json!({"files": {"test_a.py": "", name: ""}});
    let table = [
        (json!({}), "exactly one of `test`"),
        (json!({"test": null}), "for pytest), found none"),
        (json!({"prompt": "p", "entry_point": "f"}), "found none"),
        (asserts("cases", json!([])), "found `tests` and `cases`"),
        (asserts("task_id", json!(3)), "unknown field `task_id`"),
        (json!({"test": "x"}), "`entry_point` must be given beside `test`"),
        (check("test", json!(" \n")), "`test` must not be empty"),
        (check("test", json!(3)), "`test` must be a text, found 3"),
        (check("prompt", json!(["p"])), "`prompt` must be a text, found [\"p\"]"),
        (check("setup", json!("")), "`setup` belongs to `tests`, but the tests are in `test`"),
        (check("module", json!("m")), "`module` belongs to `files`"),
        (check("tolerance", json!(1)), "`tolerance` belongs to `cases`"),
        (check("entry_point", json!("")), "`entry_point` must be a name in Python"),
        (check("entry_point", json!("Solution().f")), "found \"Solution().f\""),
        (check("entry_point", json!("2f")), "found \"2f\""),
        (check("entry_point", json!("f g")), "found \"f g\""),
        (check("entry_point", json!("class")), "no keyword), found \"class\""),
        (check("entry_point", json!(2)), "`entry_point` must be a text, found 2"),
        (check("language", json!("cpp")), "only `cases` can test a program in \"cpp\""),
        (check("language", json!("")), "`language` must be \"python\""),
        (asserts("tests", json!([])), "at least one assert statement"),
        (asserts("tests", json!(["assert a", " "])), "number 2 is empty"),
        (asserts("tests", json!(["assert a", 1])), "a text or a list of texts, found 1"),
        (asserts("tests", json!({})), "a text or a list of texts, found {}"),
        (asserts("setup", json!(1)), "`setup` must be a text or a list of texts"),
        (asserts("entry_point", json!("a-b")), "found \"a-b\""),
        (json!({"cases": []}), "at least one case"),
        (json!({"cases": {}}), "`cases` must be a list"),
        (json!({"cases": ["1"]}), "case 1 must be an object"),
        (json!({"cases": [{"stdout": "1"}, {"stdin": "1"}]}), "case 2 must have `stdout`"),
        (json!({"cases": [{"stdout": 1}]}), "`stdout` of case 1 must be a text, found 1"),
        (json!({"cases": [{"stdout": "1", "input": ""}]}), "case 1 has the field \"input\""),
        (json!({"cases": [{"stdout": ""}, {"stdout": "\n"}]}), "a program that does nothing would pass"),
        (cases("prompt", json!("p")), "`prompt` belongs to `test` or `tests`, but the tests are in `cases`"),
        (cases("language", json!("")), "`language` must not be empty"),
        (cases("compare", json!("exact")), "`compare` must be \"tokens\" or \"lines\", found \"exact\""),
        (cases("tolerance", json!(0)), "above 0 and below 1, found 0"),
        (cases("tolerance", json!("1e-6")), "above 0 and below 1, found \"1e-6\""),
        (
            json!({"cases": [{"stdout": "1"}], "tolerance": 0.1, "compare": "lines"}),
            "needs `compare` to be \"tokens\"",
        ),
        (json!({"files": {}}), "a file that pytest looks into"),
        (json!({"files": []}), "must be an object of file names"),
        (json!({"files": {"a.py": ""}}), "a file that pytest looks into"),
        (json!({"files": {"test_a.py": 1}}), "\"test_a.py\" must be the file's text, found 1"),
        (file("a/test_b.py"), "plain names without folders, found \"a/test_b.py\""),
        (file("../a.py"), "without folders"),
        (file(".."), "without folders"),
        (file("a\\b.py"), "without folders"),
        (file("data.txt"), "end in \".py\", found \"data.txt\""),
        (file("a b.py"), "can be imported"),
        (file(".py"), "can be imported"),
        (file("a\0.py"), "can be imported"),
        (file("solution.py"), "for the solution is the module \"solution\""),
        (files("module", json!("test_a")), "must not have \"test_a.py\""),
        (files("module", json!("a.b")), "`module` must be a name in Python"),
        (files("module", json!("pytest")), "the tests need the module of that name"),
        (files("module", json!("polestar_wire")), "the tests need the module"),
        (files("entry_point", json!("f")), "`entry_point` belongs to `test` or `tests`"),
        (asserts("limits", json!(3)), "`limits` must be an object, found 3"),
        (asserts("limits", json!({"timeout": 3})), "`limits` has no \"timeout\""),
        (asserts("limits", json!({"timeout_s": 0})), "above 0 and at most 86400 seconds, found 0"),
        (asserts("limits", json!({"timeout_s": -1})), "found -1"),
        (asserts("limits", json!({"timeout_s": 1e9})), "at most 86400"),
        (asserts("limits", json!({"timeout_s": "3"})), "found \"3\""),
        (asserts("limits", json!({"memory_mb": 0})), "`limits.memory_mb` must be a whole number from 16"),
        (asserts("limits", json!({"memory_mb": 1.5})), "found 1.5"),
        (asserts("limits", json!({"memory_mb": 1_u64 << 40})), "to 1048576"),
        (asserts("limits", json!({"output_kb": 0})), "`limits.output_kb` must be a whole number from 1"),
    ];
    for (reference, expected) in table {
        let error = read(reference.clone()).expect_err(&reference.to_string());
        assert!(error.contains(expected), "{reference}: {error}");
    }
}

proptest! {
    #[test]
    fn odd_values_are_read_or_refused(
        key in proptest::sample::select(vec![
            "prompt", "entry_point", "test", "tests", "setup", "cases", "compare", "tolerance", "files", "module",
            "language", "limits",
        ]),
        text in any::<String>(),
        number in any::<f64>(),
        shape in 0..6_usize,
    ) {
        let value = [
            json!(text), json!(number), json!([text]), json!({text.clone(): text}), json!([{text.clone(): number}]), json!(true),
        ];
        for mut reference in [json!({}), json!({"tests": ["assert a"]}), json!({"cases": [{"stdout": "1"}]})] {
            reference[key] = value[shape].clone();
            if let Err(error) = read(reference) {
                prop_assert!(!error.is_empty() && error.len() < 1000, "{}", error);
            }
        }
    }
}
