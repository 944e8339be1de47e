//! A Python answer and the code that it was given: whether it stands under that code by itself or continues it, and how
//! its lost indentation is mended where it does.

use std::borrow::Cow;

use super::lines::{Statement, columns, first_name, read};

/// What a block is indented by where nothing shows it.
const INDENT: &str = "    ";

/// Whether a source is a program that defines a name at its top level: by a function, a class, an assignment or an
/// import. One that returns outside of a function is no program but a function's body.
pub(super) fn is_program_with(source: &str, name: &str) -> bool {
    let statements = read(source).statements;
    let defines = |statement: &Statement<'_>| statement.indent.is_empty() && binds(statement.text, name);
    statements.iter().any(defines) && !returns_outside(&statements)
}

/// Whether a statement defines a name.
fn binds(text: &str, name: &str) -> bool {
    let word = first_name(text);
    let rest = text[word.len()..].trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
    match word {
        "def" | "class" => first_name(rest) == name,
        "async" => rest.strip_prefix("def").is_some_and(|rest| first_name(rest.trim_start()) == name),
        "import" => imports(rest, name),
        "from" => rest.split_once(" import").is_some_and(|(_, names)| imports(names, name)),
        _ if word == name => {
            let is_assigned = rest.starts_with('=') && !rest.starts_with("==");
            is_assigned || (rest.starts_with(':') && rest.contains('='))
        }
        _ => false,
    }
}

/// Whether a list of imports binds a name: `a`, `a.b`, `b as a`, in brackets or not, with comments.
fn imports(names: &str, name: &str) -> bool {
    let without_comments = names.lines().map(|line| line.split('#').next().unwrap_or_default());
    let names = without_comments.collect::<Vec<_>>().join(" ");
    names.split(',').any(|part| {
        let part = part.trim_matches(|c: char| c.is_whitespace() || "()\\".contains(c));
        let bound = part.rsplit_once(" as ").map_or(part, |(_, bound)| bound.trim());
        first_name(bound) == name
    })
}

/// Given code that can be run by itself: a function of it that has no body yet has one that does nothing.
pub(super) fn closed(prompt: &str) -> Cow<'_, str> {
    match read(prompt).statements.last() {
        Some(last) if last.opens_block() => {
            let line_end = if prompt.ends_with('\n') { "" } else { "\n" };
            Cow::Owned(format!("{prompt}{line_end}{}{INDENT}pass\n", last.indent))
        }
        _ => Cow::Borrowed(prompt),
    }
}

/// Given code with the answer that continues it.
pub(super) fn continued(prompt: &str, program: &str) -> String {
    let program = mended(program, &body_indent(prompt));
    // What is begun of a line is white space at most: the answer's lines are whole.
    let prompt = prompt.trim_end_matches([' ', '\t']);
    let line_end = if prompt.is_empty() || prompt.ends_with('\n') { "" } else { "\n" };
    format!("{prompt}{line_end}{program}")
}

/// The white space before the lines that continue given code.
fn body_indent(prompt: &str) -> Cow<'_, str> {
    match read(prompt).statements.last() {
        Some(last) if last.opens_block() => Cow::Owned(format!("{}{INDENT}", last.indent)),
        Some(last) => Cow::Borrowed(last.indent),
        None => Cow::Borrowed(""),
    }
}

/// The body of a function with the indentation that it lost, where it is plain that it lost it:
///
/// * the first line only, where the next one is as far in as the body must be (white space around the answer was
///   trimmed);
/// * all lines, where the first one is what no program begins with, or a `return` stands outside of all functions (the
///   body was written as if it were a program).
fn mended<'a>(program: &'a str, indent: &str) -> Cow<'a, str> {
    let lines = read(program);
    let [first, rest @ ..] = lines.statements.as_slice() else { return Cow::Borrowed(program) };
    if indent.is_empty() || !first.indent.is_empty() {
        return Cow::Borrowed(program);
    }
    let begins_program = begins_program(first);
    if is_trimmed(first, rest, columns(indent)) {
        // Comments before it are as good at the start of a line.
        let (before, from_first) = program.split_at(first.start);
        return Cow::Owned(format!("{before}{indent}{from_first}"));
    }
    if begins_program && !returns_outside(&lines.statements) {
        return Cow::Borrowed(program);
    }
    let mut mended = String::with_capacity(program.len() + program.len() / 4);
    let mut strings = lines.long_strings.iter().peekable();
    let mut at = 0;
    for line in program.split_inclusive('\n') {
        while strings.next_if(|string| string.end <= at).is_some() {}
        let is_in_string = strings.peek().is_some_and(|string| string.start < at);
        if !is_in_string && !line.trim().is_empty() {
            mended.push_str(indent);
        }
        mended.push_str(line);
        at += line.len();
    }
    Cow::Owned(mended)
}

/// Whether of the statements of a body, which belongs `columns` in, only the first one lost its indentation.
fn is_trimmed(first: &Statement<'_>, rest: &[Statement<'_>], columns: usize) -> bool {
    let Some(next) = rest.first().map(Statement::columns) else { return false };
    if !first.opens_block() {
        return next >= columns;
    }
    // What follows is the first one's block, deeper than the body. A function or a class that programs begin with may
    // have such a block too; then what comes after it is not at the start of a line if this is a body.
    let after_block = rest.iter().map(Statement::columns).find(|columns| *columns < next);
    next > columns && (!begins_program(first) || after_block.is_some_and(|columns| columns > 0))
}

/// Whether a statement is one that programs begin with, and bodies of functions seldom.
fn begins_program(statement: &Statement<'_>) -> bool {
    matches!(statement.word(), "def" | "async" | "class" | "import" | "from")
        || statement.text.starts_with('@')
}

/// Whether a `return` or a `yield` stands outside of all functions.
fn returns_outside(statements: &[Statement<'_>]) -> bool {
    // The blocks around a statement: how far what opens them is in, and whether it is a function.
    let mut around: Vec<(usize, bool)> = Vec::new();
    statements.iter().any(|statement| {
        let columns = statement.columns();
        while around.pop_if(|(outer, _)| *outer >= columns).is_some() {}
        if statement.opens_block() {
            let is_in_function = around.last().is_some_and(|(_, is_in_function)| *is_in_function);
            around.push((columns, is_in_function || is_function(statement)));
        }
        let returns = matches!(statement.word(), "return" | "yield");
        returns && !around.last().is_some_and(|(_, is_in_function)| *is_in_function)
    })
}

/// Whether a statement begins a function.
fn is_function(statement: &Statement<'_>) -> bool {
    let rest = statement.text[statement.word().len()..].trim_start();
    statement.word() == "def" || (statement.word() == "async" && first_name(rest) == "def")
}

/// Whether a text that stands before a fence is code rather than words about it: it begins as code does, or has a line
/// that begins a function or a class.
pub(super) fn is_code(text: &str) -> bool {
    let statements = read(text).statements;
    let begins_block = |statement: &Statement<'_>| begins_program(statement) && statement.opens_block();
    statements.first().is_some_and(|first| !first.indent.is_empty() || begins_program(first))
        || statements.iter().any(begins_block)
}

/// A source whose every line is indented, without that indentation.
pub(super) fn dedented(source: &str) -> Cow<'_, str> {
    let lines = read(source);
    let Some(indent) = lines.statements.first().map(|first| first.indent).filter(|it| !it.is_empty()) else {
        return Cow::Borrowed(source);
    };
    let is_blank = |line: &str| line.trim().is_empty();
    if !source.lines().all(|line| is_blank(line) || line.starts_with(indent)) {
        return Cow::Borrowed(source);
    }
    let lines = source.split_inclusive('\n').map(|line| line.strip_prefix(indent).unwrap_or("\n"));
    Cow::Owned(lines.collect())
}
