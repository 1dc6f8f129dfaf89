//! The real kubectl, and what it installs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{ControlPlane, INSTALL_NAMESPACE, PlaneError, SERIN_USER, program};

/// What one run of kubectl gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubectlOutput {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl KubectlOutput {
    /// The standard output of a run that succeeded; else an error with what kubectl said.
    pub fn success(self) -> Result<String, PlaneError> {
        match self.code {
            Some(0) => Ok(self.stdout),
            code => Err(PlaneError::Failed(format!("kubectl ended with {code:?}: {}", self.stderr.trim()))),
        }
    }
}

impl ControlPlane {
    /// Runs kubectl as the administrator.
    pub async fn kubectl<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<KubectlOutput, PlaneError> {
        self.kubectl_with(self.admin_kubeconfig(), args, "").await
    }

    /// Runs kubectl with a kubeconfig and standard input.
    pub async fn kubectl_with<A: AsRef<OsStr>>(
        &self,
        kubeconfig: &Path,
        args: &[A],
        input: &str,
    ) -> Result<KubectlOutput, PlaneError> {
        let program = self.kubectl_program();
        let explain = |error| PlaneError::Failed(format!("{}: {error}", program.display()));
        let mut command = Command::new(&program);
        command.args(args).env("KUBECONFIG", kubeconfig);
        // Nothing of the user's own settings, and nothing left in their home directory.
        command.env("KUBERC", "off").env("KUBECACHEDIR", self.directory().join("kubectl-cache"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(explain)?;
        let mut stdin = child.stdin.take();
        let feed = async {
            if let Some(pipe) = stdin.as_mut() {
                // A kubectl that does not read its input may be gone by now.
                let _gone = pipe.write_all(input.as_bytes()).await;
            }
            drop(stdin);
        };
        let ((), output) = tokio::join!(feed, child.wait_with_output());
        let output = output.map_err(explain)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(KubectlOutput {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        })
    }

    /// Applies a manifest as the administrator (`kubectl apply --server-side -f -`); returns the names of its objects.
    pub async fn apply(&self, manifest: &str) -> Result<Vec<String>, PlaneError> {
        let args = ["apply", "--server-side", "-o", "name", "-f", "-"];
        let names = self.kubectl_with(self.admin_kubeconfig(), &args, manifest).await?.success()?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// Installs the custom resource definitions of `crds/` and everything of `deploy/` but the Deployment, gives the user
    /// `serin` the rights of the controller's service account, and waits until the definitions are served.
    pub async fn install(&self) -> Result<(), PlaneError> {
        let checkout = program::checkout();
        let crds = checkout.join("crds");
        if crds.is_dir() {
            self.install_crds(&crds).await?;
        }
        let mut args = ["apply", "--server-side"].map(std::ffi::OsString::from).to_vec();
        for file in DEPLOYED {
            args.extend(["-f".into(), checkout.join("deploy").join(file).into_os_string()]);
        }
        self.kubectl(&args).await?.success()?;
        self.apply(&bindings().to_string()).await?;
        Ok(())
    }

    async fn install_crds(&self, crds: &Path) -> Result<(), PlaneError> {
        let args = ["apply", "--server-side", "-o", "name", "-f"].map(OsStr::new);
        let names = self.kubectl(&[&args[..], &[crds.as_os_str()]].concat()).await?.success()?;
        let wait = ["wait", "--for=condition=Established", "--timeout=30s"];
        let all: Vec<&str> = wait.into_iter().chain(names.lines()).collect();
        self.kubectl(&all).await?.success()?;
        Ok(())
    }
}

/// What of `deploy/` is installed for a controller that runs outside of the cluster, in this order.
const DEPLOYED: [&str; 5] =
    ["namespace.yaml", "service-account.yaml", "cluster-role.yaml", "role.yaml", "aggregate-roles.yaml"];

/// The user `serin` may do what the roles of `deploy/` allow, and nothing else.
fn bindings() -> serde_json::Value {
    let subjects = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": SERIN_USER}]);
    let role =
        |kind: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "argo-rollouts"});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
         "metadata": {"name": "serin-under-test"}, "roleRef": role("ClusterRole"), "subjects": subjects},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
         "metadata": {"name": "serin-under-test", "namespace": INSTALL_NAMESPACE},
         "roleRef": role("Role"), "subjects": subjects},
    ]})
}
