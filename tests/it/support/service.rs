//! The compiled service as a process: started, asked, stopped, killed.

use super::twilio::{self, PUBLIC_URL, TOKEN};
use super::{Database, Event, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// How to start a service.
#[derive(Debug, Clone)]
pub struct Setup {
    environment: BTreeMap<&'static str, String>,
    /// Shell commands before the service replaces the shell.
    prefix: Option<&'static str>,
}

/// A running service. Killed when dropped.
pub struct Service {
    child: Child,
    pub public: String,
    pub admin: String,
    log: Arc<Mutex<Vec<String>>>,
    pub client: reqwest::Client,
}

impl Setup {
    pub fn new(database: &Database, data_dir: &Path) -> Self {
        Self::at(database.url(), data_dir)
    }

    pub fn at(database_url: &str, data_dir: &Path) -> Self {
        let environment = BTreeMap::from([
            ("DATABASE_URL", database_url.to_owned()),
            ("CALLSINK_DATA_DIR", data_dir.display().to_string()),
            ("TWILIO_AUTH_TOKEN", TOKEN.to_owned()),
            ("CALLSINK_PUBLIC_URL", PUBLIC_URL.to_owned()),
            ("CALLSINK_LISTEN", "127.0.0.1:0".to_owned()),
            ("CALLSINK_ADMIN_LISTEN", "127.0.0.1:0".to_owned()),
            ("LOG_FORMAT", "json".to_owned()),
        ]);
        Self { environment, prefix: None }
    }

    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.insert(name, value.into());
        self
    }

    pub fn prefix(mut self, commands: &'static str) -> Self {
        self.prefix = Some(commands);
        self
    }

    pub fn command(&self, subcommand: &str) -> Command {
        let mut command = match self.prefix {
            None => callsink(),
            Some(prefix) => {
                let script = format!("{prefix}; exec \"$0\" \"$@\"");
                let mut shell = without_settings(Command::new("sh"));
                shell.args(["-c", &script, &binary()]);
                shell
            }
        };
        command.arg(subcommand).envs(&self.environment);
        command
    }

    /// Starts, and waits until the listeners are there.
    pub async fn start(&self) -> Service {
        let mut child = self
            .command("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the compiled binary");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (started, listening) = tokio::sync::oneshot::channel();
        std::thread::spawn({
            let log = Arc::clone(&log);
            let mut started = Some(started);
            move || {
                for line in stderr.lines().map_while(Result::ok) {
                    let entry: Value = serde_json::from_str(&line).unwrap_or_default();
                    if entry["message"] == "started"
                        && let Some(started) = started.take()
                    {
                        drop(started.send(entry));
                    }
                    log.lock().expect("no panic while logging").push(line);
                }
            }
        });
        let Ok(entry) = listening.await else {
            panic!("the service did not start: {:?}", log.lock().expect("readable"));
        };
        let address = |name: &str| format!("http://{}", entry[name].as_str().expect("an address"));
        Service {
            public: address("listen"),
            admin: address("admin_listen"),
            child,
            log,
            client: client(),
        }
    }

    /// Runs `serve` to its end, for starts that fail.
    pub fn fails(&self) -> (ExitStatus, String) {
        let output = self.command("serve").stdin(Stdio::null()).output().expect("the binary");
        (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The compiled binary without any setting of the developer's own.
pub fn callsink() -> Command {
    without_settings(Command::new(binary()))
}

/// What was compiled along with the tests, or another build, such as a release build.
fn binary() -> String {
    let ours = env!("CARGO_BIN_EXE_callsink").to_owned();
    std::env::var("CALLSINK_BIN").unwrap_or(ours)
}

fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let ours = ["CALLSINK_", "TWILIO_", "DATABASE_URL", "LOG_FORMAT", "RUST_LOG"];
        if ours.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// Never sends on a connection that has idled for long: a service that is set to be impatient may be hanging up on it.
fn client() -> reqwest::Client {
    let builder = callsink::http_client::builder().pool_idle_timeout(Duration::from_millis(500));
    builder.build().expect("a client")
}

impl Service {
    /// A service on a database of its own, and what has to outlive it.
    pub async fn fresh() -> (Self, Database, TempDir) {
        let database = Database::migrated().await;
        let data = tempfile::tempdir().expect("a directory");
        let service = Setup::new(&database, data.path()).start().await;
        (service, database, data)
    }

    /// Delivers `body` as Twilio would; the status.
    pub async fn deliver(&self, body: &[u8]) -> u16 {
        self.deliver_as(PUBLIC_URL, TOKEN, body).await
    }

    pub async fn deliver_as(&self, public_url: &str, token: &str, body: &[u8]) -> u16 {
        let delivery = twilio::delivery(public_url, token, body);
        self.post(&delivery.target, Some(&delivery.signature), body).await.status().as_u16()
    }

    pub async fn deliver_events(&self, events: &[Event]) -> u16 {
        self.deliver(&twilio::array(events)).await
    }

    pub async fn post(
        &self,
        target: &str,
        signature: Option<&str>,
        body: &[u8],
    ) -> reqwest::Response {
        let mut request = self.client.post(format!("{}{target}", self.public)).body(body.to_vec());
        if let Some(signature) = signature {
            request = request.header("X-Twilio-Signature", signature);
        }
        request.send().await.expect("an answer")
    }

    /// Status and body of `/readyz`.
    pub async fn readiness(&self) -> (u16, Value) {
        let answer = self.client.get(format!("{}/readyz", self.admin)).send().await;
        let answer = answer.expect("the admin listener answers");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// Until PostgreSQL has everything that was acknowledged.
    pub async fn drained(&self) {
        eventually("the journal is drained", || async {
            self.readiness().await.1["journal"]["depth_events"] == 0
        })
        .await;
    }

    /// One sample of `/metrics`.
    pub async fn metric(&self, sample: &str) -> f64 {
        let page = self.client.get(format!("{}/metrics", self.admin)).send().await;
        let page = page.expect("the admin listener").text().await.expect("text");
        page.lines()
            .find_map(|line| line.strip_prefix(sample)?.trim().parse().ok())
            .unwrap_or_else(|| panic!("no {sample} in\n{page}"))
    }

    /// The log so far, a JSON object per line.
    pub fn log(&self) -> String {
        self.log.lock().expect("readable").join("\n")
    }

    /// Waits until the log says `text`; a line may arrive after the answer that it is about.
    pub async fn says(&self, text: &str) {
        eventually(text, || async { self.log().contains(text) }).await;
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and gone.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    pub fn signal(&self, signal: &str) {
        let status =
            Command::new("kill").arg(format!("-{signal}")).arg(self.id().to_string()).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end.
    pub async fn ended(mut self) -> ExitStatus {
        let end = move || self.child.wait().expect("it was started by us");
        tokio::task::spawn_blocking(end).await.expect("waited for")
    }

    /// SIGTERM, and the exit status.
    pub async fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("--- log of the service\n{}", self.log());
        }
    }
}

/// The samples of Twilio's payloads.
pub fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/samples")
}
