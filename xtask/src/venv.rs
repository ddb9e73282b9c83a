//! Python virtual environments with the programs that we are measured against.
//!
//! They live in the cache folder and are made once. A stamp, written last, holds the requirements:
//! an environment that was interrupted half-way, or that was made for other requirements, is made
//! again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{cache, process};

const STAMP: &str = "runledger-requirements.txt";

/// The oldest Python that all environments can be made with.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// A virtual environment: a folder name and what `pip` installs into it.
#[derive(Debug)]
pub(crate) struct Environment {
    name: &'static str,
    requirements: &'static [&'static str],
}

/// The oldest client that we promise to serve. Its release does not bound two of its dependencies.
pub(crate) const MLFLOW_2_17: Environment = Environment {
    name: "venv-217",
    requirements: &[
        "mlflow==2.17.2",
        "sqlalchemy<2.1",
        "setuptools<80",
        // Its tracing uses what later releases do not have.
        "opentelemetry-sdk<1.30",
        "scikit-learn",
        "matplotlib",
        "psutil",
        "psycopg2-binary",
        "pymysql",
    ],
};

/// The newest client, and the release whose database schema is ours.
pub(crate) const MLFLOW_3_17: Environment = Environment {
    name: "venv-317",
    requirements: &[
        "mlflow==3.17.2",
        "scikit-learn",
        "matplotlib",
        "psutil",
        "psycopg2-binary",
        "pymysql",
    ],
};

/// Frameworks that the newest client logs by itself, as far as they install quickly. Keras trains
/// with JAX.
pub(crate) const FRAMEWORKS: Environment = Environment {
    name: "venv-frameworks",
    requirements: &[
        "mlflow==3.17.2",
        "scikit-learn==1.9.1",
        "matplotlib==3.11.2",
        "psutil==7.2.2",
        "xgboost-cpu==3.2.0",
        "lightgbm==4.7.0",
        "keras==3.15.1",
        "jax==0.10.2",
    ],
};

/// [`FRAMEWORKS`] with `PyTorch` Lightning: 8 GB, since `PyPI` has it with CUDA.
pub(crate) const FRAMEWORKS_AND_TORCH: Environment = Environment {
    name: "venv-torch",
    requirements: &[
        "mlflow==3.17.2",
        "scikit-learn==1.9.1",
        "matplotlib==3.11.2",
        "psutil==7.2.2",
        "xgboost-cpu==3.2.0",
        "lightgbm==4.7.0",
        "keras==3.15.1",
        "jax==0.10.2",
        "torch==2.9.1",
        "lightning==2.6.6",
    ],
};

/// What any program in Python sends traces with.
pub(crate) const OPENTELEMETRY: Environment = Environment {
    name: "venv-opentelemetry",
    requirements: &[
        "opentelemetry-sdk==1.45.2",
        "opentelemetry-exporter-otlp-proto-http==1.45.2",
    ],
};

/// Generates requests from a description of an API.
pub(crate) const SCHEMATHESIS: Environment = Environment {
    name: "venv-schemathesis",
    requirements: &["schemathesis==4.32.5"],
};

/// Makers of old databases: without what only training, serving and plotting need, which is most.
/// Their releases do not bound their dependencies where those moved on.
pub(crate) const MLFLOW_2_0: Environment = Environment {
    name: "venv-201",
    requirements: &[
        "mlflow-skinny==2.0.1",
        "sqlalchemy<2",
        "alembic<2",
        "numpy<2",
        "pandas<2",
        "setuptools<80",
        "sqlparse",
        "psycopg2-binary",
        "pymysql",
    ],
};

/// See [`MLFLOW_2_0`].
pub(crate) const MLFLOW_2_9: Environment = Environment {
    name: "venv-292",
    requirements: &[
        "mlflow-skinny==2.9.2",
        "sqlalchemy<2.1",
        "alembic<2",
        "numpy<2",
        "pandas<2",
        "setuptools<80",
        "sqlparse",
        "psycopg2-binary",
        "pymysql",
    ],
};

/// See [`MLFLOW_2_0`].
pub(crate) const MLFLOW_3_1: Environment = Environment {
    name: "venv-314",
    requirements: &[
        "mlflow-skinny==3.1.4",
        "sqlalchemy<2.1",
        "alembic<2",
        "numpy<3",
        "pandas<3",
        "opentelemetry-sdk<1.30",
        "psycopg2-binary",
        "pymysql",
    ],
};

/// Emulators of the clouds, the clouds' own clients, and the newest client of MLflow, which reaches a
/// cloud itself.
pub(crate) const CLOUDS: Environment = Environment {
    name: "venv-clouds",
    requirements: &[
        "mlflow-skinny==3.17.2",
        "boto3",
        "moto[server]",
        "azure-storage-blob",
    ],
};

/// The oldest client, with what reaches S3.
pub(crate) const CLOUDS_2_17: Environment = Environment {
    name: "venv-clouds-217",
    requirements: &[
        "mlflow-skinny==2.17.2",
        "boto3",
        "setuptools<80",
        "opentelemetry-sdk<1.30",
    ],
};

/// A server of FTP.
pub(crate) const FTP: Environment = Environment {
    name: "venv-ftp",
    requirements: &["pyftpdlib==2.2.0"],
};

/// The other fast server, to measure beside ours.
pub(crate) const FASTTRACKML: Environment = Environment {
    name: "venv-ft",
    requirements: &["fasttrackml"],
};

impl Environment {
    /// The environment's folder, made or made again if needed.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        let folder = cache::folder()?.join(self.name);
        let _lock = cache::lock(self.name)?;
        let stamp = folder.join(STAMP);
        let wanted = self.requirements.join("\n") + "\n";
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(folder);
        }
        println!(
            "making {} with {}: this takes a few minutes, once",
            folder.display(),
            self.requirements.join(", ")
        );
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        let system = system_python()?;
        process::output(Command::new(system).args(["-m", "venv"]).arg(&folder))
            .context("cannot make a virtual environment: on Debian and Ubuntu, `apt-get install python3-venv`")?;
        process::output(
            Command::new(python(&folder))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .args(self.requirements),
        )?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(folder)
    }
}

/// The Python of an environment.
pub(crate) fn python(environment: &Path) -> PathBuf {
    environment.join("bin").join("python")
}

/// The command that runs a program of `tests` in an environment.
pub(crate) fn script(environment: &Path, path: &str) -> Command {
    let mut command = Command::new(python(environment));
    command
        .arg(cache::repository().join("tests").join(path))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    // Settings of the person who runs this must not choose another server or user.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MLFLOW_") {
            command.env_remove(name);
        }
    }
    command
}

/// A Python on the `PATH` that is new enough.
pub(crate) fn system_python() -> Result<&'static str> {
    let version = process::output(Command::new("python3").args([
        "-c",
        "import sys; print(sys.version_info[0], sys.version_info[1])",
    ]))
    .context("Python 3 is needed")?;
    let mut parts = version.split_whitespace().map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST_PYTHON => Ok("python3"),
        _ => bail!(
            "`python3` is version {}: {}.{} or newer is needed",
            version.trim().replace(' ', "."),
            OLDEST_PYTHON.0,
            OLDEST_PYTHON.1
        ),
    }
}
