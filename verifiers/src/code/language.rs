//! Languages other than Python, each as two commands: one that compiles the program and one that runs it.
//!
//! A command is a program and its arguments, run in a folder that holds the source file and nothing else. No shell reads
//! it. Python is not among them: its programs run in an interpreter that is warm already.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::fs::{Access, access};
use serde::Deserialize;

/// The language that needs no commands.
pub(super) const PYTHON: &str = "python";

/// Other names of languages in the info strings of fenced blocks.
const LABELS: &[(&str, &[&str])] = &[
    (PYTHON, &["py", "python3", "py3", "python2", "py2", "cpython", "pypy", "pypy3", "ipython"]),
    ("cpp", &["c++", "cc", "cxx", "c++11", "c++14", "c++17", "c++20", "cpp17", "cpp20"]),
    ("rust", &["rs"]),
    ("c", &["c99", "c11"]),
    ("javascript", &["js", "node", "nodejs"]),
    ("typescript", &["ts"]),
    ("go", &["golang"]),
    ("csharp", &["c#", "cs"]),
    ("bash", &["sh", "shell"]),
    ("haskell", &["hs"]),
    ("ruby", &["rb"]),
];

/// What to install where a program is missing.
const PACKAGES: &[(&str, &str)] = &[
    ("g++", "install it, on Debian and Ubuntu with `apt install g++`"),
    ("rustc", "install Rust from https://rustup.rs or, on Debian and Ubuntu, with `apt install rustc`"),
];

/// How programs of one language are compiled and run: a table `[languages.NAME]` of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// The name of the file that the program is written to, for instance `main.cpp`.
    pub source: String,
    /// The command that compiles it; none where it runs as it is.
    #[serde(default)]
    pub compile: Option<Vec<String>>,
    /// The command that runs it. A program with a `/` in it is seen from the source file's folder.
    pub run: Vec<String>,
    /// Absolute paths that compiling and running may read, beside the system's folders.
    #[serde(default)]
    pub readable: Vec<PathBuf>,
}

/// The commands of a language with their programs found: absolute, or in the source file's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Compiles.
    pub compile: Option<Vec<OsString>>,
    /// Runs.
    pub run: Vec<OsString>,
}

/// The languages that there are: those built in and those of the settings, by their names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, Language>")]
pub struct Languages(BTreeMap<String, Language>);

impl Default for Languages {
    fn default() -> Self {
        let language = |source: &str, compile: &[&str]| Language {
            source: source.to_owned(),
            compile: Some(compile.iter().map(|&word| word.to_owned()).collect()),
            run: vec!["./main".to_owned()],
            readable: Vec::new(),
        };
        let cpp = language("main.cpp", &["g++", "-O2", "-std=c++17", "-o", "main", "main.cpp"]);
        let rust = language("main.rs", &["rustc", "-O", "--edition", "2021", "-o", "main", "main.rs"]);
        Self(BTreeMap::from([("cpp".to_owned(), cpp), ("rust".to_owned(), rust)]))
    }
}

impl TryFrom<BTreeMap<String, Language>> for Languages {
    type Error = String;

    /// The languages of the settings beside, or in place of, those built in.
    fn try_from(given: BTreeMap<String, Language>) -> Result<Self, String> {
        let mut languages = Self::default();
        for (name, language) in given {
            check_name(&name)?;
            language.check().map_err(|problem| format!("`languages.{name}`: {problem}"))?;
            languages.0.insert(name, language);
        }
        Ok(languages)
    }
}

impl Languages {
    /// Paths that the languages need, beside the system's folders.
    pub fn readable(&self) -> impl Iterator<Item = &Path> {
        let given = self.0.values().flat_map(|language| &language.readable).map(PathBuf::as_path);
        given.chain(rust_sysroot())
    }

    /// All that have commands, by their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Language)> {
        self.0.iter()
    }

    /// The commands' templates of a language; none for Python, which has none.
    ///
    /// # Errors
    /// There is no such language; says which there are.
    pub fn get(&self, name: &str) -> Result<Option<&Language>, String> {
        if name == PYTHON {
            return Ok(None);
        }
        self.0.get(name).map(Some).ok_or_else(|| {
            let known = self.0.keys().fold(PYTHON.to_owned(), |known, name| known + ", " + name);
            format!(
                "there is no language {name:?}; the languages are: {known}; another needs a table \
                 `[languages.NAME]` with `source` and `run`"
            )
        })
    }
}

impl Language {
    fn check(&self) -> Result<(), String> {
        let source = &self.source;
        if source.is_empty() || source.contains(['/', '\0']) || source == "." || source == ".." {
            return Err(format!("`source` must be a plain file name as \"main.cpp\", found {source:?}"));
        }
        let commands = [("compile", self.compile.as_ref()), ("run", Some(&self.run))];
        for (key, command) in commands.into_iter().filter_map(|(key, it)| Some((key, it?))) {
            if command.first().is_none_or(String::is_empty) {
                return Err(format!(
                    "`{key}` must be a list of a program and its arguments, as [\"g++\", \"main.cpp\"], found {command:?}"
                ));
            }
            if command.iter().any(|word| word.contains('\0')) {
                return Err(format!("`{key}` must be without NUL characters"));
            }
        }
        let first = |command: &Vec<String>| command.first().cloned().unwrap_or_default();
        if let Some(program) = self.compile.as_ref().map(first).filter(|it| is_in_folder(it)) {
            return Err(format!(
                "`compile` must begin with a program on the PATH or an absolute path, found {program:?}: when it \
                 runs, its folder holds the source file only"
            ));
        }
        if let Some(path) = self.readable.iter().find(|path| !path.is_absolute()) {
            return Err(format!("`readable` must be absolute paths, found {:?}", path.display().to_string()));
        }
        Ok(())
    }

    /// The commands, their programs looked for on `path`, which is as the environment variable `PATH`.
    ///
    /// # Errors
    /// A program is not there: says what to install.
    pub fn commands(&self, path: Option<&OsStr>) -> Result<Commands, String> {
        let find = |command: &Vec<String>| {
            let mut found: Vec<OsString> = command.iter().map(OsString::from).collect();
            if let Some(program) = found.first_mut()
                && !is_in_folder(&command[0])
            {
                *program = look_up(&command[0], path)?.into_os_string();
            }
            Ok::<_, String>(found)
        };
        Ok(Commands { compile: self.compile.as_ref().map(find).transpose()?, run: find(&self.run)? })
    }
}

/// Whether a fenced block with this label, in small letters, holds a program of the language.
pub(super) fn is_label(language: &str, label: &str) -> bool {
    label == language || LABELS.iter().any(|(name, labels)| *name == language && labels.contains(&label))
}

fn check_name(name: &str) -> Result<(), String> {
    if name == PYTHON {
        return Err(
            "`languages.python` must be left out: Python is built in; its program is the setting `python`"
                .to_owned(),
        );
    }
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+#-_".contains(c);
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(format!(
            "`languages` must have names of small letters, digits, `+`, `#`, `-` and `_`, found {name:?}"
        ));
    }
    Ok(())
}

/// Whether a command's program lies in the folder that it runs in.
fn is_in_folder(program: &str) -> bool {
    program.contains('/') && !program.starts_with('/')
}

/// The absolute path of a program.
fn look_up(program: &str, path: Option<&OsStr>) -> Result<PathBuf, String> {
    let is_program = |file: &Path| file.is_file() && access(file, Access::EXEC_OK).is_ok();
    if program.starts_with('/') {
        let file = PathBuf::from(program);
        return if is_program(&file) { Ok(file) } else { Err(format!("there is no program {program}")) };
    }
    // Relative folders of a PATH would mean another place where the command runs.
    let folders = std::env::split_paths(path.unwrap_or_default()).filter(|folder| folder.is_absolute());
    let found = folders.map(|folder| folder.join(program)).find(|file| is_program(file));
    found.map(behind_rustup).ok_or_else(|| {
        let advice = PACKAGES.iter().find(|(name, _)| *name == program);
        let advice = advice.map_or("install it, or give its absolute path", |(_, advice)| advice);
        format!("there is no program `{program}` on the PATH; {advice}")
    })
}

/// The compiler itself where the program is rustup's stand-in, which looks into its user's home for it: boxes have none.
fn behind_rustup(program: PathBuf) -> PathBuf {
    match program.file_name().zip(rust_sysroot()) {
        Some((name, sysroot)) if is_rustup(&program) && sysroot.join("bin").join(name).exists() => {
            sysroot.join("bin").join(name)
        }
        _ => program,
    }
}

fn is_rustup(program: &Path) -> bool {
    program.canonicalize().is_ok_and(|file| file.file_name().is_some_and(|name| name == "rustup"))
}

/// The folder of the Rust that rustup has chosen, which boxes must be able to read; none where Rust is installed otherwise.
/// Found once.
fn rust_sysroot() -> Option<&'static Path> {
    static SYSROOT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let path = std::env::var_os("PATH")?;
        let rustc =
            std::env::split_paths(&path).map(|folder| folder.join("rustc")).find(|file| file.is_file())?;
        if !is_rustup(&rustc) {
            return None;
        }
        let said = Command::new(rustc).args(["--print", "sysroot"]).current_dir("/").output().ok()?;
        let sysroot = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
        sysroot.is_absolute().then_some(sysroot)
    };
    SYSROOT.get_or_init(find).as_deref()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::{Value, json};

    use super::*;

    fn languages(settings: Value) -> Result<Languages, String> {
        serde_json::from_value(settings).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_add_to_what_is_built_in_and_replace_it() {
        let node = json!({"source": "main.js", "run": ["node", "main.js"]});
        let cpp = json!({"source": "a.cpp", "compile": ["clang++", "a.cpp"], "run": ["./a.out"], "readable": ["/opt"]});
        let languages = languages(json!({"javascript": node, "cpp": cpp})).unwrap();
        assert_eq!(languages.get("python"), Ok(None));
        assert_eq!(languages.get("rust"), Languages::default().get("rust"));
        let javascript = languages.get("javascript").unwrap().unwrap();
        assert_eq!((javascript.compile.as_ref(), javascript.readable.len()), (None, 0));
        let cpp = languages.get("cpp").unwrap().unwrap();
        assert_eq!((cpp.source.as_str(), cpp.run.as_slice()), ("a.cpp", ["./a.out".to_owned()].as_slice()));
        let error = languages.get("java").unwrap_err();
        assert!(
            error.starts_with(
                "there is no language \"java\"; the languages are: python, cpp, javascript, rust;"
            )
        );
    }

    #[test]
    fn built_in_languages_pass_their_own_check() {
        let Languages(built_in) = Languages::default();
        assert_eq!(Languages::try_from(built_in.clone()), Ok(Languages(built_in)));
        assert_eq!(languages(json!({})), Ok(Languages::default()));
    }

    #[test]
    fn bad_settings_say_what_is_wrong() {
        let good = json!({"source": "a.c", "run": ["./a"]});
        let with = |key: &str, value: Value| {
            let mut language = good.clone();
            language[key] = value;
            json!({"mine": language})
        };
        assert!(languages(json!({"mine": good})).is_ok());
        let cases = [
            (json!({"python": good}), "`languages.python` must be left out"),
            (json!({"C++": good}), "small letters"),
            (json!({"": good}), "small letters"),
            (json!({"mine": {"source": "a.c"}}), "missing field `run`"),
            (json!({"mine": {"run": ["./a"]}}), "missing field `source`"),
            (with("sauce", json!(1)), "unknown field `sauce`"),
            (with("source", json!("")), "`languages.mine`: `source` must be a plain file name"),
            (with("source", json!("../a.c")), "found \"../a.c\""),
            (with("source", json!("..")), "found \"..\""),
            (with("source", json!("a\0")), "plain file name"),
            (with("run", json!([])), "`languages.mine`: `run` must be a list of a program and its arguments"),
            (with("run", json!([""])), "found [\"\"]"),
            (with("run", json!(["a", "b\0"])), "without NUL"),
            (with("compile", json!([])), "`compile` must be a list of a program"),
            (with("compile", json!(["./build"])), "its folder holds the source file only"),
            (with("readable", json!(["opt"])), "`readable` must be absolute paths, found \"opt\""),
        ];
        for (settings, expected) in cases {
            let error = languages(settings.clone()).unwrap_err();
            assert!(error.contains(expected), "{settings}: {error}");
        }
    }

    #[test]
    fn programs_are_found_or_the_error_says_what_to_install() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let compiler = file("g++", 0o755);
        file("rustc", 0o644);
        std::fs::create_dir(folder.path().join("node")).unwrap();
        let path = std::env::join_paths([Path::new("relative"), folder.path()]).unwrap();

        let languages = Languages::default();
        let cpp = languages.get("cpp").unwrap().unwrap();
        let commands = cpp.commands(Some(&path)).unwrap();
        assert_eq!(commands.run, ["./main"]);
        let compile = commands.compile.unwrap();
        assert_eq!(
            (compile[0].as_os_str(), compile[1].as_os_str()),
            (compiler.as_os_str(), OsStr::new("-O2"))
        );
        let error = cpp.commands(None).unwrap_err();
        assert_eq!(
            error,
            "there is no program `g++` on the PATH; install it, on Debian and Ubuntu with `apt install g++`"
        );
        // A file that cannot be executed is no program, and neither is a folder.
        let error = languages.get("rust").unwrap().unwrap().commands(Some(&path)).unwrap_err();
        assert!(error.contains("`rustc`") && error.contains("rustup.rs"), "{error}");
        let run = |program: &str| Language {
            source: "main.js".into(),
            compile: None,
            run: vec![program.to_owned(), "main.js".to_owned()],
            readable: Vec::new(),
        };
        let error = run("node").commands(Some(&path)).unwrap_err();
        assert!(error.contains("there is no program `node` on the PATH; install it, or give"), "{error}");
        let absolute = compiler.display().to_string();
        assert_eq!(run(&absolute).commands(None).unwrap().run[0], compiler);
        assert!(run("/nowhere/node").commands(None).unwrap_err().contains("/nowhere/node"));
    }

    #[test]
    fn labels_of_blocks_name_languages() {
        for (language, label, is_its) in [
            ("python", "python", true),
            ("python", "py", true),
            ("python", "text", false),
            ("python", "cpp", false),
            ("cpp", "c++", true),
            ("cpp", "c", false),
            ("ocaml", "ocaml", true),
            ("ocaml", "ml", false),
        ] {
            assert_eq!(is_label(language, label), is_its, "{language} {label}");
        }
    }
}
