//! The image of the Dockerfile, as far as it can be tried without a container engine: the program starts in a root
//! directory that holds what the image holds, and nothing else.

#![allow(clippy::unwrap_used, reason = "the code of tests may panic, outside of test functions, too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The lines of the last stage of the Dockerfile.
fn last_stage() -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Dockerfile")).unwrap();
    let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let start = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    lines[start..].to_vec()
}

/// The words after `instruction`, of each line that begins with it.
fn instructions(instruction: &str) -> Vec<Vec<String>> {
    let stage = last_stage();
    let lines = stage.iter().filter_map(|line| line.strip_prefix(instruction)?.strip_prefix(' '));
    lines.map(|rest| rest.split_whitespace().map(str::to_owned).collect()).collect()
}

/// Where the image has the program.
fn program_in_image() -> String {
    let copies = instructions("COPY");
    let [copy] = &copies[..] else { panic!("the last stage copies one thing: {copies:?}") };
    let [from, source, target] = &copy[..] else { panic!("COPY --from=build SOURCE TARGET: {copy:?}") };
    assert_eq!((from.as_str(), source.as_str()), ("--from=build", "/serin"));
    target.clone()
}

/// The libraries that `program` loads, with the loader itself; none for a static program.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words = text.split_whitespace().filter(|word| word.starts_with('/'));
    words.map(PathBuf::from).filter(|path| path.exists()).collect()
}

fn copy_into(root: &Path, source: &Path, target: &str) {
    let target = root.join(target.trim_start_matches('/'));
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::copy(source, target).unwrap();
}

/// Runs `program` with `root` as its root directory; `None` where this user may not.
fn run_in(root: &Path, program: &str, arg: &str) -> Option<Output> {
    let direct: &[&str] = &["chroot"];
    let unshared: &[&str] = &["unshare", "--user", "--map-root-user", "chroot"];
    [direct, unshared].into_iter().find_map(|command| {
        let output =
            Command::new(command[0]).args(&command[1..]).arg(root).args([program, arg]).output().ok()?;
        let refused = ["chroot: ", "unshare: "].iter().any(|tool| output.stderr.starts_with(tool.as_bytes()));
        (!refused).then_some(output)
    })
}

#[test]
fn the_image_is_the_program_alone_and_its_user_is_nobody_special() {
    assert_eq!(instructions("FROM"), [["scratch"]]);
    let program = program_in_image();
    let users = instructions("USER");
    // A kubelet checks runAsNonRoot against a number; it cannot look a name up.
    let [user] = &users[..] else { panic!("one USER: {users:?}") };
    let (uid, gid) = user[0].split_once(':').unwrap();
    assert!(uid.parse::<u32>().unwrap() > 0 && gid.parse::<u32>().unwrap() > 0);
    assert_eq!(instructions("ENTRYPOINT"), [[format!("[\"{program}\"]")]]);
}

#[test]
fn cargo_understands_what_the_build_stage_gets() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let context = tempfile::tempdir().unwrap();
    let ignore = fs::read_to_string(checkout.join(".dockerignore")).unwrap();
    for kept in ignore.lines().filter_map(|line| line.strip_prefix('!')) {
        let copy = Command::new("cp").arg("-r").arg(checkout.join(kept)).arg(context.path()).status();
        assert!(copy.unwrap().success(), "{kept}");
    }
    // A target that Cargo.toml names and the context lacks would be an error.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1"]).current_dir(context.path());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let program = packages.iter().find(|package| package["name"] == "serin").expect("the root package");
    let targets = program["targets"].as_array().unwrap();
    assert!(targets.iter().any(|target| target["name"] == "serin" && target["kind"][0] == "bin"));
}

#[test]
fn the_program_starts_with_what_the_image_holds() {
    let built = Path::new(env!("CARGO_BIN_EXE_serin"));
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let root = tempfile::tempdir().unwrap();
    let program = program_in_image();
    copy_into(root.path(), built, &program);
    // The image's own build is static. This one may need what every program written in C needs, and no more.
    for library in libraries(built) {
        let name = library.file_name().unwrap().to_string_lossy().into_owned();
        let is_c_runtime = ["libc.", "libm.", "libgcc_s.", "ld-", "libpthread.", "libdl."]
            .iter()
            .any(|known| name.starts_with(known));
        assert!(is_c_runtime, "{} would be missing from the image", library.display());
        copy_into(root.path(), &library, library.to_str().unwrap());
    }
    let Some(output) = run_in(root.path(), &program, "--version") else {
        eprintln!("\n*** SKIPPED: neither chroot (as root) nor unshare --user (as anyone) is allowed here\n");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{profile} build: {output:?}");
    assert_eq!(said.trim(), format!("serin {}", env!("CARGO_PKG_VERSION")), "{profile} build");
    eprintln!("the {profile} build starts in an empty root directory");
}
