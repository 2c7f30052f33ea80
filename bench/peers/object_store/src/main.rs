//! Measures Rust's object_store as measure_one.py measures a client of Python, and prints the same JSON object:
//! `object_store_peer STEPS ENDPOINT BUCKET N`.

use std::error::Error;
use std::path::Path as File;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Certificate, ClientOptions, ObjectStore, ObjectStoreExt};
use serde_json::{json, Value};

const STEPS_IN_FLIGHT: usize = 8; // of four objects each
const FILES: [&str; 4] = ["observation.html", "screenshot.png", "action.json", "metadata.json"];
const VERSION: &str = "0.14.2"; // as Cargo.toml says

type Failure = Box<dyn Error + Send + Sync>;

/// As a recorder holds it.
#[derive(Clone)]
struct Step {
    name: String,
    html: Arc<str>,
    screenshot: Bytes,
    action: Value,
    metadata: Value,
    whole: bool, // compared whole when it comes back: the first of those that share what they hold
}

impl Step {
    fn key(&self, file: &str) -> Path {
        Path::from(format!("object_store/{}/{file}", self.name))
    }

    fn objects(&self) -> Result<[Bytes; 4], Failure> {
        let (action, metadata) = (serde_json::to_vec(&self.action)?, serde_json::to_vec(&self.metadata)?);
        Ok([Bytes::copy_from_slice(self.html.as_bytes()), self.screenshot.clone(), action.into(), metadata.into()])
    }
}

fn made(size: usize, count: usize) -> Vec<Step> {
    let html: Arc<str> = "<p>step</p>\n".chars().cycle().take(size).collect::<String>().into();
    let screenshot: Vec<u8> = (0..size).map(|_| rand::random()).collect();
    let screenshot = Bytes::from(screenshot);
    let step = |i: usize| Step {
        name: i.to_string(),
        html: html.clone(),
        screenshot: screenshot.clone(),
        action: json!({"type": "click"}),
        metadata: json!({"i": i}),
        whole: i == 0,
    };
    (0..count).map(step).collect()
}

/// The steps of a folder in turn until there are enough; they share what they hold.
fn read(recording: &File, count: usize) -> Result<Vec<Step>, Failure> {
    let mut folders: Vec<_> = std::fs::read_dir(recording)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    folders.sort();
    let mut kinds = Vec::new();
    for folder in &folders {
        kinds.push(Step {
            name: String::new(),
            html: std::fs::read_to_string(folder.join(FILES[0]))?.into(),
            screenshot: std::fs::read(folder.join(FILES[1]))?.into(),
            action: serde_json::from_slice(&std::fs::read(folder.join(FILES[2]))?)?,
            metadata: serde_json::from_slice(&std::fs::read(folder.join(FILES[3]))?)?,
            whole: true,
        });
    }
    let named = |i: usize| Step { name: format!("{i:06}"), whole: i < kinds.len(), ..kinds[i % kinds.len()].clone() };
    Ok((0..count).map(named).collect())
}

async fn store(client: Arc<AmazonS3>, steps: Arc<Vec<Step>>, at: usize) -> Result<(), Failure> {
    let step = &steps[at];
    let puts = FILES.iter().zip(step.objects()?).map(|(file, body)| {
        let (client, key) = (client.clone(), step.key(file));
        async move { client.put(&key, body.into()).await }
    });
    futures::future::try_join_all(puts).await?;
    Ok(())
}

async fn retrieve(client: Arc<AmazonS3>, steps: Arc<Vec<Step>>, at: usize) -> Result<(), Failure> {
    let step = &steps[at];
    let gets = FILES.iter().map(|file| {
        let (client, key) = (client.clone(), step.key(file));
        async move { client.get(&key).await?.bytes().await }
    });
    let found = futures::future::try_join_all(gets).await?;
    let (html, screenshot) = (std::str::from_utf8(&found[0])?, &found[1]);
    let alike = if step.whole {
        *html == *step.html && *screenshot == step.screenshot
    } else {
        html.len() == step.html.len() && screenshot.len() == step.screenshot.len()
    };
    let same = alike
        && serde_json::from_slice::<Value>(&found[2])? == step.action
        && serde_json::from_slice::<Value>(&found[3])? == step.metadata;
    if same { Ok(()) } else { Err(format!("step {} came back changed", step.name).into()) }
}

#[derive(Clone, Copy)]
enum What {
    Store,
    Retrieve,
}

/// Each step as a task of its own, so that all threads work.
async fn all(client: &Arc<AmazonS3>, steps: &Arc<Vec<Step>>, what: What) -> Result<(), Failure> {
    futures::stream::iter(0..steps.len())
        .map(|at| {
            let (client, steps) = (client.clone(), steps.clone());
            async move {
                match what {
                    What::Store => tokio::spawn(store(client, steps, at)).await?,
                    What::Retrieve => tokio::spawn(retrieve(client, steps, at)).await?,
                }
            }
        })
        .buffer_unordered(STEPS_IN_FLIGHT)
        .try_collect()
        .await
}

fn usage() -> libc::rusage {
    // SAFETY: getrusage fills the structure, and cannot fail for RUSAGE_SELF.
    unsafe {
        let mut used = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut used);
        used
    }
}

fn cpu_s() -> f64 {
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let used = usage();
    seconds(used.ru_utime) + seconds(used.ru_stime)
}

/// The highest resident size so far.
fn peak_bytes() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// `begun_bytes` is what was resident before there was a client.
async fn measured(client: Arc<AmazonS3>, steps: Vec<Step>, begun_bytes: u64) -> Result<Value, Failure> {
    let warm: Vec<Step> = made(100, 32).into_iter().map(|step| Step { name: format!("warm-{}", step.name), ..step }).collect();
    let warm = Arc::new(warm);
    all(&client, &warm, What::Store).await?; // opens connections
    all(&client, &warm, What::Retrieve).await?;

    let steps = Arc::new(steps);
    let mut row = json!({"client": "object_store, Rust", "version": VERSION, "steps": steps.len()});
    for (name, what) in [("store", What::Store), ("retrieve", What::Retrieve)] {
        let (used, begun) = (cpu_s(), Instant::now());
        all(&client, &steps, what).await?;
        row[format!("{name}_s")] = json!(begun.elapsed().as_secs_f64() / steps.len() as f64);
        row[format!("{name}_cpu_s")] = json!((cpu_s() - used) / steps.len() as f64);
    }
    let (used, begun) = (cpu_s(), Instant::now());
    let listed = client.list(Some(&Path::from("object_store"))).try_fold(0, |count, _| async move { Ok(count + 1) }).await?;
    row["list_s"] = json!(begun.elapsed().as_secs_f64());
    row["list_cpu_s"] = json!(cpu_s() - used);
    row["listed"] = json!(listed);

    let mut times = [Vec::new(), Vec::new()];
    for i in 0..11 {
        let one = Arc::new(vec![Step {
            name: format!("alone-{i}"),
            html: "<p>".repeat(1000).into(),
            screenshot: b"\x89PNG\r\n\x1a\n".repeat(1000).into(),
            action: json!({}),
            metadata: json!({}),
            whole: true,
        }]);
        for (what, into) in [What::Store, What::Retrieve].into_iter().zip(&mut times) {
            let begun = Instant::now();
            all(&client, &one, what).await?;
            into.push(begun.elapsed().as_secs_f64());
        }
    }
    for (name, mut taken) in ["one_store_s", "one_retrieve_s"].into_iter().zip(times) {
        taken.sort_by(f64::total_cmp);
        row[name] = json!(taken[taken.len() / 2]);
    }
    row["memory_bytes"] = json!(peak_bytes()? - begun_bytes);
    Ok(row)
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, endpoint, bucket, count] = &arguments[..] else {
        return Err("use: object_store_peer STEPS ENDPOINT BUCKET N".into());
    };
    let count: usize = count.parse()?;
    let steps = match source.parse::<usize>() {
        Ok(size) => made(size, count),
        Err(_) => read(File::new(source), count)?,
    };
    std::fs::write("/proc/self/clear_refs", "5")?; // the highest size is the present one again
    let begun_bytes = peak_bytes()?;
    let mut options = ClientOptions::new().with_allow_http(true);
    if let Ok(file) = std::env::var("SSL_CERT_FILE") {
        options = options.with_root_certificate(Certificate::from_pem(&std::fs::read(file)?)?);
    }
    let client = AmazonS3Builder::new()
        .with_client_options(options)
        .with_endpoint(endpoint)
        .with_bucket_name(bucket)
        .with_region("us-east-1")
        .with_access_key_id("any")
        .with_secret_access_key("any")
        .with_virtual_hosted_style_request(false)
        .with_unsigned_payload(true)
        .build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!("{}", runtime.block_on(measured(Arc::new(client), steps, begun_bytes))?);
    Ok(())
}
