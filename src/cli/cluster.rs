//! Selects cluster and user: the kubeconfig, and the kubectl flags that override it.

use std::path::PathBuf;

use clap::Args;
use kube::Config;
use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster,
    NamedContext,
};

use super::given::Given;
use serin_controller::failure::root_cause;

/// Heading of the flags that select the cluster.
pub(super) const CLUSTER_HEADING: &str = "Cluster and user";

/// The reason why no cluster could be selected.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No cluster is configured.
    #[error(
        "no cluster is configured: {kubeconfig}; and this process does not run in a pod: {in_cluster}\n\
         Set --kubeconfig or $KUBECONFIG to a kubeconfig."
    )]
    NoCluster {
        /// The problem with the kubeconfig.
        kubeconfig: String,
        /// The missing part of a pod's environment.
        in_cluster: String,
    },
    /// The kubeconfig cannot be used.
    #[error(
        "cannot use the kubeconfig {place}: {cause}\n\
         Set --kubeconfig or $KUBECONFIG to another file, or --context to another context."
    )]
    Kubeconfig {
        /// The file, or the list of files of `$KUBECONFIG`.
        place: String,
        /// The problem.
        cause: String,
    },
}

/// Flags that select a cluster, named as in kubectl.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = CLUSTER_HEADING)]
pub(super) struct ClusterFlags {
    /// Path to the kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the cluster that this pod runs in]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context in the kubeconfig [default: its current context]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Cluster in the kubeconfig; overrides the context's
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// User in the kubeconfig; overrides the context's
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Address of the API server
    #[arg(long, short, value_name = "URL")]
    server: Option<String>,
    /// Server name for checking the certificate of the API server
    #[arg(long, value_name = "NAME")]
    tls_server_name: Option<String>,
    /// Do not check the certificate of the API server
    #[arg(long, value_name = "BOOL", value_parser = switch, default_value = "false",
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_skip_tls_verify: bool,
    /// File with the CA certificates for the API server
    #[arg(long, value_name = "FILE")]
    certificate_authority: Option<String>,
    /// Proxy for connections to the API server
    #[arg(long, value_name = "URL")]
    proxy_url: Option<String>,
    /// Do not request compressed responses
    #[arg(long, value_name = "BOOL", value_parser = switch, default_value = "false",
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    disable_compression: bool,
    /// File with the client certificate
    #[arg(long, value_name = "FILE")]
    client_certificate: Option<String>,
    /// File with the key of the client certificate
    #[arg(long, value_name = "FILE")]
    client_key: Option<String>,
    /// Bearer token for authentication
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// User name for basic authentication
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Password for basic authentication
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// User to impersonate
    #[arg(long = "as", value_name = "NAME")]
    as_user: Option<String>,
    /// Group to impersonate; repeatable
    #[arg(long = "as-group", value_name = "NAME")]
    as_groups: Vec<String>,
    /// UID to impersonate
    #[arg(long, value_name = "UID")]
    as_uid: Option<String>,
}

impl ClusterFlags {
    /// The given flags, for printed commands that reach the same cluster. A placeholder in capitals replaces each
    /// secret.
    #[must_use]
    pub(super) fn given(&self) -> Given {
        let given = self.given_file();
        let given = [
            ("context", &self.context),
            ("cluster", &self.cluster),
            ("user", &self.user),
            ("server", &self.server),
            ("tls-server-name", &self.tls_server_name),
            ("certificate-authority", &self.certificate_authority),
            ("client-certificate", &self.client_certificate),
            ("client-key", &self.client_key),
            ("username", &self.username),
            ("as", &self.as_user),
            ("as-uid", &self.as_uid),
        ]
        .into_iter()
        .fold(given, |given, (flag, value)| given.with(flag, value.as_deref()));
        let given = self.as_groups.iter().fold(given, |given, group| given.with("as-group", Some(group)));
        given
            .with("token", self.token.as_ref().map(|_| "TOKEN"))
            .with("password", self.password.as_ref().map(|_| "PASSWORD"))
            .with_switch("insecure-skip-tls-verify", self.insecure_skip_tls_verify)
            .through(self.proxy_url.as_deref())
    }

    /// Uses the kubeconfig without any flags.
    fn given_file(&self) -> Given {
        Given::default()
            .with("kubeconfig", self.kubeconfig.as_ref().map(|file| file.to_string_lossy()).as_deref())
    }

    /// Resolves the cluster: from the flags, else from `$KUBECONFIG` or `~/.kube/config`, else from the environment
    /// of this pod.
    pub(super) async fn config(self) -> Result<Config, ConfigError> {
        if let Some(file) = &self.kubeconfig {
            let failed = |error: KubeconfigError| self.unusable(&error, || file.display().to_string());
            let kubeconfig = Kubeconfig::read_from(file).map_err(failed)?;
            return self.load(kubeconfig).await.map_err(failed);
        }
        let error = match Kubeconfig::read() {
            Ok(kubeconfig) => match self.load(kubeconfig).await {
                Ok(config) => return Ok(config),
                Err(error) => error,
            },
            Err(error) => error,
        };
        let is_absent = matches!(&error, KubeconfigError::ReadConfig(cause, _) if cause.kind() == std::io::ErrorKind::NotFound)
            || matches!(error, KubeconfigError::FindPath);
        let named = std::env::var("KUBECONFIG").ok().filter(|paths| !paths.is_empty());
        if self.server.is_some() && named.is_none() && is_absent {
            let alone = Kubeconfig { current_context: Some(CONTEXT.into()), ..Kubeconfig::default() };
            return self
                .load(alone)
                .await
                .map_err(|error| self.unusable(&error, || "built from flags".into()));
        }
        if self.context.is_some() || named.is_some() || !is_absent {
            return Err(self.unusable(&error, || named.unwrap_or_else(|| DEFAULT_KUBECONFIG.into())));
        }
        let mut config = self.in_cluster(&error)?;
        self.override_user(&mut config.auth_info);
        replace(&mut config.tls_server_name, self.tls_server_name.as_ref());
        config.accept_invalid_certs |= self.insecure_skip_tls_verify;
        Ok(config)
    }

    /// The configuration from kubeconfig and flags.
    async fn load(&self, mut kubeconfig: Kubeconfig) -> Result<Config, KubeconfigError> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
        };
        if let Some(context) = self.chosen(&mut kubeconfig) {
            let cluster = self.cluster.clone().unwrap_or(context.cluster);
            let user = self.user.clone().or(context.user);
            for named in kubeconfig.clusters.iter_mut().filter(|named| named.name == cluster) {
                self.override_cluster(named.cluster.get_or_insert_default());
            }
            for named in kubeconfig.auth_infos.iter_mut().filter(|named| Some(&named.name) == user.as_ref()) {
                self.override_user(named.auth_info.get_or_insert_default());
            }
        }
        Config::from_custom_kubeconfig(kubeconfig, &options).await
    }

    /// The selected context. A context without cluster or user gets empty ones, which flags can fill.
    fn chosen(&self, kubeconfig: &mut Kubeconfig) -> Option<Context> {
        let name = self.context.clone().or_else(|| kubeconfig.current_context.clone())?;
        if self.server.is_some() && !kubeconfig.contexts.iter().any(|named| named.name == name) {
            let context = Context { cluster: CONTEXT.into(), ..Context::default() };
            let named =
                NamedContext { name: name.clone(), context: Some(context), ..NamedContext::default() };
            kubeconfig.contexts.push(named);
            kubeconfig.clusters.push(NamedCluster { name: CONTEXT.into(), ..NamedCluster::default() });
        }
        let named = kubeconfig.contexts.iter_mut().find(|named| named.name == name)?;
        let context = named.context.as_mut()?;
        if context.user.is_none() && self.user.is_none() {
            context.user = Some(CONTEXT.into());
            kubeconfig.auth_infos.push(NamedAuthInfo { name: CONTEXT.into(), ..NamedAuthInfo::default() });
        }
        Some(context.clone())
    }

    fn override_cluster(&self, cluster: &mut Cluster) {
        replace(&mut cluster.server, self.server.as_ref());
        replace(&mut cluster.tls_server_name, self.tls_server_name.as_ref());
        replace(&mut cluster.proxy_url, self.proxy_url.as_ref());
        if self.certificate_authority.is_some() {
            cluster.certificate_authority_data = None;
        }
        replace(&mut cluster.certificate_authority, self.certificate_authority.as_ref());
        replace(&mut cluster.insecure_skip_tls_verify, self.insecure_skip_tls_verify.then_some(&true));
        replace(&mut cluster.disable_compression, self.disable_compression.then_some(&true));
    }

    fn override_user(&self, user: &mut AuthInfo) {
        if self.client_certificate.is_some() {
            user.client_certificate_data = None;
        }
        replace(&mut user.client_certificate, self.client_certificate.as_ref());
        if self.client_key.is_some() {
            user.client_key_data = None;
        }
        replace(&mut user.client_key, self.client_key.as_ref());
        if self.token.is_some() {
            user.token_file = None;
        }
        replace(&mut user.token, self.token.clone().map(Into::into).as_ref());
        replace(&mut user.username, self.username.as_ref());
        replace(&mut user.password, self.password.clone().map(Into::into).as_ref());
        replace(&mut user.impersonate, self.as_user.as_ref());
        replace(&mut user.impersonate_uid, self.as_uid.as_ref());
        replace(&mut user.impersonate_groups, Some(&self.as_groups).filter(|groups| !groups.is_empty()));
    }

    /// The cluster of this pod. `kubeconfig` is the reason why there is no kubeconfig.
    fn in_cluster(&self, error: &KubeconfigError) -> Result<Config, ConfigError> {
        Config::incluster().map_err(|missing| ConfigError::NoCluster {
            kubeconfig: format!("{}: {}", place(error, || DEFAULT_KUBECONFIG.into()), self.cause(error)),
            in_cluster: match std::env::var_os(SERVICE_HOST) {
                Some(_) => root_cause(&missing),
                None => format!("${SERVICE_HOST} is not set"),
            },
        })
    }

    fn unusable(&self, error: &KubeconfigError, named: impl FnOnce() -> String) -> ConfigError {
        ConfigError::Kubeconfig { place: place(error, named), cause: self.cause(error) }
    }

    fn cause(&self, error: &KubeconfigError) -> String {
        if let KubeconfigError::CurrentContextNotSet = error {
            return "no current context is set".into();
        }
        if let KubeconfigError::LoadContext(context) = error {
            let list = self.given_file().kubectl("config get-contexts");
            return format!("context {context:?} not found; `{list}` lists the existing ones");
        }
        // YAML errors end with an excerpt of the file.
        root_cause(error).lines().next().unwrap_or_default().to_owned()
    }
}

/// Parses a boolean as Go does.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

fn replace<T: Clone>(value: &mut Option<T>, other: Option<&T>) {
    if other.is_some() {
        *value = other.cloned();
    }
}

/// The name for entries that flags define without a kubeconfig.
const CONTEXT: &str = "flags";
const DEFAULT_KUBECONFIG: &str = "~/.kube/config";
/// Set in every pod.
const SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";

/// The file that the error is about: `named`, or the unreadable one of several.
fn place(error: &KubeconfigError, named: impl FnOnce() -> String) -> String {
    if let KubeconfigError::ReadConfig(_, path) = error { path.display().to_string() } else { named() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: near, user: me, namespace: shop}}
- {name: two, context: {cluster: far}}
clusters:
- {name: near, cluster: {server: 'https://near:6443'}}
- {name: far, cluster: {server: 'https://far:6443'}}
users:
- {name: me, user: {token: mine}}
- {name: you, user: {token: yours}}
";

    async fn config(flags: ClusterFlags) -> Config {
        flags.load(Kubeconfig::from_yaml(FILE).expect("YAML")).await.expect("a configuration")
    }

    #[tokio::test]
    async fn flags_choose_from_the_kubeconfig() {
        let plain = config(ClusterFlags::default()).await;
        assert_eq!((plain.cluster_url.host(), plain.default_namespace.as_str()), (Some("near"), "shop"));
        let flags =
            ClusterFlags { cluster: Some("far".into()), user: Some("you".into()), ..ClusterFlags::default() };
        let chosen = config(flags).await;
        assert_eq!(chosen.cluster_url.host(), Some("far"));
        let other = config(ClusterFlags { context: Some("two".into()), ..ClusterFlags::default() }).await;
        assert_eq!((other.cluster_url.host(), other.default_namespace.as_str()), (Some("far"), "default"));
    }

    #[tokio::test]
    async fn flags_say_otherwise_than_the_kubeconfig() {
        let flags = ClusterFlags {
            server: Some("https://other:1".into()),
            tls_server_name: Some("name".into()),
            insecure_skip_tls_verify: true,
            as_user: Some("jane".into()),
            as_groups: vec!["staff".into()],
            ..ClusterFlags::default()
        };
        let config = config(flags).await;
        assert_eq!(config.cluster_url.to_string(), "https://other:1/");
        assert_eq!((config.tls_server_name.as_deref(), config.accept_invalid_certs), (Some("name"), true));
        assert_eq!(config.auth_info.impersonate.as_deref(), Some("jane"));
        assert_eq!(config.auth_info.impersonate_groups, Some(vec!["staff".to_owned()]));
        assert!(config.auth_info.token.is_some(), "the user is still that of the context");
    }

    #[tokio::test]
    async fn a_context_without_a_user_gets_the_one_of_the_flags() {
        let flags =
            ClusterFlags { context: Some("two".into()), token: Some("t".into()), ..ClusterFlags::default() };
        assert!(config(flags).await.auth_info.token.is_some());
    }

    #[tokio::test]
    async fn an_address_is_enough() {
        let flags = ClusterFlags { server: Some("http://localhost:8001".into()), ..ClusterFlags::default() };
        let empty = Kubeconfig { current_context: Some(CONTEXT.into()), ..Kubeconfig::default() };
        let config = flags.load(empty).await.expect("a configuration");
        assert_eq!(config.cluster_url.to_string(), "http://localhost:8001/");
    }

    #[test]
    fn each_flag_that_was_given_is_given_on() {
        use clap::FromArgMatches;

        let command = ClusterFlags::augment_args(clap::Command::new("flags"));
        let longs: Vec<_> =
            command.get_arguments().filter_map(|arg| Some(arg.get_long()?.to_owned())).collect();
        for flag in longs.iter().filter(|flag| *flag != "disable-compression") {
            let is_switch = flag == "insecure-skip-tls-verify";
            let words = if is_switch { format!("--{flag}") } else { format!("--{flag}=a b") };
            let matches = command.clone().try_get_matches_from(["flags", &words]).expect("flags");
            let given = ClusterFlags::from_arg_matches(&matches).expect("flags").given();
            let said = match flag.as_str() {
                "token" | "password" => format!("serin x --{flag}={}", flag.to_uppercase()),
                _ if is_switch => format!("serin x --{flag}"),
                _ => format!("serin x --{flag}='a b'"),
            };
            assert_eq!(given.own(crate::cli::failure::Program::Serin, "x"), said);
        }
    }
}
