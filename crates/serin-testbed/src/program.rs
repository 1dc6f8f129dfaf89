//! Where the servers of a control plane come from: built from `hack/control-plane`, or found ready.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use super::error::PlaneError;
use super::process::EndsBy;

/// The Kubernetes release that `hack/control-plane/go.mod` names; clients parse it out of the server's answers.
const KUBERNETES: (&str, &str, &str) = ("v1.36.3", "1", "36");

/// What decides the content of the built program.
const SOURCES: [&str; 3] = ["go.mod", "go.sum", "main.go"];

/// The names of the four programs, as a directory of `KUBEBUILDER_ASSETS` has them.
const ASSETS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];

/// Where a control plane comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The one program that plays all roles, built from `hack/control-plane`.
    Built(PathBuf),
    /// A directory that holds etcd, kube-apiserver, kube-controller-manager and kubectl (`KUBEBUILDER_ASSETS`).
    Assets(PathBuf),
    /// A cluster that runs already, named by its kubeconfig file (`SERIN_TEST_KUBECONFIG`).
    Running(PathBuf),
}

impl Source {
    /// Builds the program where Go is at hand (about four minutes the first time, with progress on standard error;
    /// nothing to do later), else uses what the environment names. `Unavailable` says what would help.
    pub fn find() -> Result<Self, PlaneError> {
        let unbuilt = match build() {
            Ok(program) => return Ok(Self::Built(program)),
            Err(why) => why,
        };
        if let Some(directory) = variable("KUBEBUILDER_ASSETS") {
            return assets(&directory);
        }
        if let Some(kubeconfig) = variable("SERIN_TEST_KUBECONFIG") {
            return running(&kubeconfig);
        }
        Err(PlaneError::Unavailable(format!(
            "no Kubernetes control plane: {unbuilt}. One of these helps: install Go 1.26 or later, so that it is built from \
             hack/control-plane; set KUBEBUILDER_ASSETS to a directory that holds {}; or set SERIN_TEST_KUBECONFIG to \
             the kubeconfig of a cluster made for tests",
            ASSETS.join(", ")
        )))
    }

    /// The program and leading arguments of a server or of kubectl, and what makes it end; `None` for a running cluster.
    pub(super) fn server(&self, role: &str) -> Option<(PathBuf, Vec<OsString>, EndsBy)> {
        match self {
            Self::Built(program) => Some((program.clone(), vec![role.into()], EndsBy::Itself)),
            Self::Assets(directory) => Some((directory.join(role), Vec::new(), EndsBy::Guard)),
            Self::Running(_) => None,
        }
    }

    /// The kubectl that goes with it.
    #[must_use]
    pub fn kubectl(&self) -> PathBuf {
        match self {
            Self::Built(program) => program.with_file_name("kubectl"),
            Self::Assets(directory) => directory.join("kubectl"),
            Self::Running(_) => PathBuf::from("kubectl"),
        }
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn assets(directory: &Path) -> Result<Source, PlaneError> {
    match ASSETS.iter().find(|name| !directory.join(name).is_file()) {
        None => Ok(Source::Assets(directory.to_owned())),
        Some(missing) => Err(PlaneError::Unavailable(format!(
            "KUBEBUILDER_ASSETS={} holds no {missing}; it should hold {}",
            directory.display(),
            ASSETS.join(", ")
        ))),
    }
}

fn running(kubeconfig: &Path) -> Result<Source, PlaneError> {
    if kubeconfig.is_file() {
        return Ok(Source::Running(kubeconfig.to_owned()));
    }
    Err(PlaneError::Unavailable(format!(
        "SERIN_TEST_KUBECONFIG={} is no file; it should be the kubeconfig of a cluster made for tests",
        kubeconfig.display()
    )))
}

/// The checkout that this crate was built from.
pub(super) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The built program, brought up to date if need be; or why there is none.
fn build() -> Result<PathBuf, String> {
    let sources = checkout().join("hack/control-plane");
    if !sources.join("main.go").is_file() {
        return Err(format!("{} is not there to build it from", sources.display()));
    }
    let directory =
        variable("CARGO_TARGET_DIR").unwrap_or_else(|| checkout().join("target")).join("control-plane");
    let program = directory.join("control-plane");
    let explain = |error: io::Error| format!("{}: {error}", directory.display());
    fs::create_dir_all(&directory).map_err(explain)?;
    // Test binaries start side by side: one builds, the others wait for it here.
    let lock = File::create(directory.join("lock")).map_err(explain)?;
    lock.lock().map_err(explain)?;
    if !is_current(&program, &sources) {
        go_build(&sources, &program)?;
    }
    link_kubectl(&directory).map_err(explain)?;
    Ok(program)
}

/// Whether `program` is newer than everything that it is built from.
fn is_current(program: &Path, sources: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified());
    let Ok(built) = changed(program) else { return false };
    SOURCES.iter().all(|name| changed(&sources.join(name)).is_ok_and(|time: SystemTime| time < built))
}

fn go_build(sources: &Path, program: &Path) -> Result<(), String> {
    let (version, major, minor) = KUBERNETES;
    let base = "k8s.io/component-base/version";
    let flags = format!(
        "-s -w -X {base}.gitVersion={version} -X {base}.gitMajor={major} -X {base}.gitMinor={minor} \
         -X k8s.io/client-go/pkg/version.gitVersion={version}"
    );
    say(
        "building the control plane of the tests (Kubernetes and etcd); about four minutes, the first time only",
    );
    // A build that is cut short must not leave a program that looks finished.
    let unfinished = program.with_extension("unfinished");
    let status = Command::new("go")
        .args(["build", "-mod=readonly", "-trimpath", "-v", "-ldflags", &flags, "-o"])
        .arg(&unfinished)
        .arg(".")
        .current_dir(sources)
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("go: {error}"))?;
    if !status.success() {
        return Err(format!("`go build` in {} ended with {status}", sources.display()));
    }
    fs::rename(&unfinished, program).map_err(|error| format!("{}: {error}", program.display()))
}

fn link_kubectl(directory: &Path) -> io::Result<()> {
    match std::os::unix::fs::symlink("control-plane", directory.join("kubectl")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Tells the person who waits; a test's standard error is where its progress belongs.
fn say(message: &str) {
    eprintln!("{message}");
}
