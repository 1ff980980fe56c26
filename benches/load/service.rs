//! The service under test, as a process, and the hello-world server that it is compared with.
//!
//! In: a directory and a database. Out: addresses, process id, metrics. Promises: the compiled binary with its
//! defaults but for addresses, secrets and one HTTP worker; killed when dropped.

use crate::corpus::{PUBLIC_URL, TOKEN};
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nobody listens there: a PostgreSQL that is stopped.
pub const NO_DATABASE: &str = "postgres://callsink:none@127.0.0.1:9/callsink";

/// A process that takes requests.
pub struct Service {
    child: Child,
    pub address: SocketAddr,
    admin: Option<SocketAddr>,
}

impl Service {
    /// Starts `callsink serve` and waits until it answers; its log goes to `directory`.
    pub async fn start(directory: &Path, database_url: &str) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let (address, admin) = (free_address()?, free_address()?);
        let mut command = Command::new(env!("CARGO_BIN_EXE_callsink"));
        command.arg("serve");
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().into_owned();
            if ["CALLSINK_", "TWILIO_", "LOG_"].iter().any(|prefix| text.starts_with(prefix))
                && !text.starts_with("CALLSINK_BENCH_")
            {
                command.env_remove(name);
            }
        }
        // For trying a setting: CALLSINK_BENCH_WORKERS=1 is given to the service as CALLSINK_WORKERS=1.
        for (name, value) in std::env::vars() {
            if let Some(name) = name.strip_prefix("CALLSINK_BENCH_") {
                command.env(format!("CALLSINK_{name}"), value);
            }
        }
        let child = command
            .env("MALLOC_ARENA_MAX", "2") // as the image has both
            .env("MALLOC_MMAP_THRESHOLD_", "131072")
            .env("DATABASE_URL", database_url)
            .env("CALLSINK_DATA_DIR", directory)
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .env("CALLSINK_PUBLIC_URL", PUBLIC_URL)
            .env("CALLSINK_LISTEN", address.to_string())
            .env("CALLSINK_ADMIN_LISTEN", admin.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(directory.join("log"))?)
            .spawn()
            .context("callsink")?;
        let mut service = Self { child, address, admin: Some(admin) };
        service.wait_for(admin).await?;
        Ok(service)
    }

    /// Starts the hello-world server: this program once more.
    pub async fn start_hello() -> Result<Self> {
        let address = free_address()?;
        let child = Command::new(std::env::current_exe()?)
            .args(["--hello", &address.to_string()])
            .stdin(Stdio::null())
            .spawn()?;
        let mut service = Self { child, address, admin: None };
        service.wait_for(address).await?;
        Ok(service)
    }

    async fn wait_for(&mut self, address: SocketAddr) -> Result<()> {
        let patience = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(address).is_err() {
            ensure!(self.child.try_wait()?.is_none(), "the service ended: see its log");
            ensure!(Instant::now() < patience, "the service does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The sum of all samples of a metric.
    pub fn metric(&self, name: &str) -> Result<f64> {
        let mut stream = TcpStream::connect(self.admin.context("hello has no metrics")?)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let samples = text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let is_it = series
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('{'));
            is_it.then(|| value.parse::<f64>().ok()).flatten()
        });
        Ok(samples.sum())
    }

    /// Waits until the journal holds nothing that PostgreSQL does not have.
    pub async fn wait_until_drained(&self) -> Result<()> {
        while self.metric("callsink_journal_depth_events")? > 0.0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Stops as an operator would, and waits.
    pub fn stop(mut self) -> Result<()> {
        let stopped = Command::new("kill").arg(self.pid().to_string()).status()?;
        ensure!(stopped.success(), "kill");
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Ended already after `stop`; otherwise something failed and only this process has to go.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The hello-world server: reads the body, answers 200. One worker, as the service has on two cores.
pub fn hello(address: SocketAddr) -> Result<()> {
    use actix_web::{App, HttpResponse, HttpServer, web};
    async fn answer(body: web::Bytes) -> HttpResponse {
        std::hint::black_box(body);
        HttpResponse::Ok().finish()
    }
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(|| {
            App::new().app_data(web::PayloadConfig::new(4 << 20)).default_service(web::to(answer))
        })
        .workers(1)
        .bind(address)?
        .run()
        .await
        .context("hello")
    })
}
