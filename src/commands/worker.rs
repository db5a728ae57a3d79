//! `symbolist worker …`: the child process that opens one untrusted file. Started by the server only.
//!
//! It limits itself before it looks at the first foreign byte, reads inputs that it inherited, writes its
//! answer to stdout and one JSON line about it to stderr. `symbols/worker.rs` is the other side.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use protocol::id::DebugId;
use rustix::process::{Resource, Rlimit, nice, setrlimit};
use symbolicate::SharedBytes;
use symbolicate::bundle::{ArtifactBundle, BundleFile, FileKind};
use symbolicate::js::{MapReference, map_reference};
use symbolicate::{derive, identify};

use crate::symbols::mapping::map;
use crate::symbols::worker::{EXIT_FAILED, EXIT_MEMORY, EXIT_UNUSABLE, Report};

/// Descriptors that a worker may have open.
const DESCRIPTORS_MAX: u64 = 32;

/// How much a worker gives way to the server (see nice(2)).
const NICENESS: i32 = 10;

/// Processor seconds between the signal that asks a worker to end and the one that ends it.
const CPU_GRACE_S: u64 = 1;

/// What to do, with what, and how much may be used for it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to make of the inputs.
    operation: Operation,
    /// Name of the file, for messages.
    #[arg(long, default_value = "file")]
    name: String,
    /// Which script to derive.
    #[arg(long)]
    debug_id: Option<DebugId>,
    /// Number of an inherited descriptor; several are several inputs.
    #[arg(long = "input")]
    inputs: Vec<u32>,
    /// Private memory, in bytes.
    #[arg(long)]
    memory_bytes: u64,
    /// Processor time, in seconds.
    #[arg(long)]
    cpu_seconds: u64,
    /// Largest output, in bytes.
    #[arg(long)]
    output_bytes: u64,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Operation {
    Identify,
    ListBundle,
    DeriveNative,
    DeriveSources,
    DeriveJs,
}

/// Why there is no output.
enum Failure {
    /// The file cannot be used.
    Unusable(String),
    /// Something else is wrong.
    Own(String),
}

/// Does what a worker is for and returns its verdict. Not to be called in a process that does anything else.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (report, code) = match limit(arguments).and_then(|()| perform(arguments)) {
        Ok(notes) => (Report { reason: None, notes }, 0),
        Err(Failure::Unusable(reason)) if is_out_of_memory(&reason) => {
            (Report { reason: Some(reason), notes: Vec::new() }, EXIT_MEMORY)
        }
        Err(Failure::Unusable(reason)) => {
            (Report { reason: Some(reason), notes: Vec::new() }, EXIT_UNUSABLE)
        }
        Err(Failure::Own(reason)) => {
            (Report { reason: Some(reason), notes: Vec::new() }, EXIT_FAILED)
        }
    };
    let said = serde_json::to_vec(&report).map_err(io::Error::from);
    match said.and_then(|said| io::stderr().write_all(&said)) {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(EXIT_FAILED),
    }
}

/// Whether a parser gave up because it got no memory. Most allocations abort the process then; those that
/// do not end in the texts of `std::io::ErrorKind::OutOfMemory`, `TryReserveError` and zstd.
fn is_out_of_memory(reason: &str) -> bool {
    let texts = ["out of memory", "memory allocation failed", "not enough memory"];
    texts.iter().any(|text| reason.contains(text))
}

/// Sets the limits that nothing in this process can raise again.
fn limit(arguments: &Arguments) -> Result<(), Failure> {
    // The parser of scripts gets a large stack, which counts as soon as it is reserved; without it the
    // result would be poorer on a small machine, and nobody would know why.
    let stack_bytes = match arguments.operation {
        Operation::DeriveJs => derive::js::STACK_BYTES as u64,
        _ => 0,
    };
    let limits = [
        (Resource::Data, arguments.memory_bytes + stack_bytes, 0),
        (Resource::Cpu, arguments.cpu_seconds, CPU_GRACE_S),
        (Resource::Fsize, arguments.output_bytes, 0),
        (Resource::Core, 0, 0),
        (Resource::Nofile, DESCRIPTORS_MAX, 0),
    ];
    for (resource, soft, grace) in limits {
        let limit = Rlimit { current: Some(soft), maximum: Some(soft + grace) };
        setrlimit(resource, limit).map_err(|error| {
            Failure::Own(format!("cannot limit {resource:?} to {soft}: {error}"))
        })?;
    }
    // Giving way is a kindness, not a lock.
    let _ = nice(NICENESS);
    Ok(())
}

fn perform(arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let inputs: Vec<SharedBytes> =
        arguments.inputs.iter().map(|input| open(*input)).collect::<Result<_, _>>()?;
    let inputs: Vec<&[u8]> = inputs.iter().map(|input| (**input).as_ref()).collect();
    let first = || inputs.first().copied().ok_or_else(|| Failure::Own("no input".to_owned()));
    match arguments.operation {
        Operation::Identify => {
            let identified = identify::identify(first()?, &arguments.name).map_err(unusable)?;
            write(&serde_json::to_vec(&identified).map_err(own)?)?;
            Ok(Vec::new())
        }
        Operation::ListBundle => {
            let bundle = ArtifactBundle::open(first()?).map_err(unusable)?;
            write(&serde_json::to_vec(bundle.listing()).map_err(own)?)?;
            Ok(Vec::new())
        }
        Operation::DeriveNative => {
            let derived = derive::native::derive(first()?).map_err(unusable)?;
            write(&derived.bytes)?;
            Ok(derived.report.notes)
        }
        Operation::DeriveSources => {
            let derived = derive::sources::derive(first()?).map_err(unusable)?;
            write(&derived.bytes)?;
            Ok(derived.problems)
        }
        Operation::DeriveJs => {
            let debug_id =
                arguments.debug_id.ok_or_else(|| Failure::Own("no debug id".to_owned()))?;
            derive_js(&inputs, debug_id)
        }
    }
}

/// Opens an inherited descriptor anew: at its beginning, and only for reading.
fn open(input: u32) -> Result<SharedBytes, Failure> {
    let file = File::open(format!("/proc/self/fd/{input}"));
    file.and_then(|file| map(&file))
        .map_err(|error| Failure::Own(format!("cannot open input {input}: {error}")))
}

/// Finds the script and its map in the bundles and derives its look-up file.
fn derive_js(bundles: &[&[u8]], debug_id: DebugId) -> Result<Vec<String>, Failure> {
    let bundles: Vec<ArtifactBundle<'_>> = bundles
        .iter()
        .map(|bytes| ArtifactBundle::open(bytes))
        .collect::<Result<_, _>>()
        .map_err(unusable)?;
    let script = read(&bundles, |file| {
        file.debug_id == Some(debug_id) && file.kind == FileKind::MinifiedSource
    })?;
    let map =
        read(&bundles, |file| file.debug_id == Some(debug_id) && file.kind == FileKind::SourceMap)?;
    let embedded = || match script.as_deref().and_then(map_reference) {
        Some(MapReference::Embedded(map)) => Ok(map),
        _ => Err(Failure::Unusable(format!(
            "no source map with the debug id {debug_id} was uploaded"
        ))),
    };
    let map = map.map_or_else(embedded, Ok)?;
    let derived = derive::js::derive(script.as_deref(), &map).map_err(unusable)?;
    write(&derived.bytes)?;
    Ok(derived.report.problems)
}

/// Reads the first file that `is_wanted`, from the first bundle that has it.
fn read(
    bundles: &[ArtifactBundle<'_>],
    is_wanted: impl Fn(&BundleFile) -> bool,
) -> Result<Option<Vec<u8>>, Failure> {
    for bundle in bundles {
        if let Some(file) = bundle.listing().files.iter().find(|file| is_wanted(file)) {
            return bundle.read(&file.entry).map(Some).map_err(unusable);
        }
    }
    Ok(None)
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    // Not through the buffer of `Stdout`, which looks for line ends.
    let stdout = io::stdout().as_fd().try_clone_to_owned().map_err(own)?;
    File::from(stdout).write_all(bytes).map_err(own)
}

fn unusable(reason: impl std::fmt::Display) -> Failure {
    Failure::Unusable(reason.to_string())
}

fn own(error: impl std::fmt::Display) -> Failure {
    Failure::Own(error.to_string())
}
