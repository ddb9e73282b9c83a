//! What MLflow's users write, read as SQLAlchemy and the drivers read it.

use std::{path::PathBuf, time::Duration};

use proptest::prelude::*;
use tokio_postgres::config::Host;

use super::*;

fn refused(uri: &str) -> String {
    DatabaseUri::parse(uri).expect_err(uri).to_string()
}

fn postgres(uri: &str) -> tokio_postgres::Config {
    match DatabaseUri::parse(uri).unwrap() {
        DatabaseUri::Postgres(uri) => uri.config().unwrap().0,
        other => panic!("{other}"),
    }
}

fn mysql(uri: &str) -> mysql_async::Opts {
    match DatabaseUri::parse(uri).unwrap() {
        DatabaseUri::Mysql(uri) => uri.opts().unwrap().0.into(),
        other => panic!("{other}"),
    }
}

fn tcp(host: &str) -> Host {
    Host::Tcp(host.to_owned())
}

#[test]
fn three_slashes_are_relative_and_four_absolute() {
    let path = |uri| match DatabaseUri::parse(uri).unwrap() {
        DatabaseUri::Sqlite { path, .. } => path,
        other => panic!("{other}"),
    };
    assert_eq!(path("sqlite:///mlflow.db"), PathBuf::from("mlflow.db"));
    assert_eq!(path("sqlite:////tmp/a b.db"), PathBuf::from("/tmp/a b.db"));
    assert_eq!(
        path("sqlite:////tmp/a%20b.db"),
        PathBuf::from("/tmp/a b.db")
    );
    assert_eq!(path("sqlite+pysqlite:///x.db"), PathBuf::from("x.db"));
}

#[test]
fn sqlites_timeout_is_kept_and_pythons_options_are_passed_over() {
    let uri = DatabaseUri::parse("sqlite:///x.db?timeout=2.5&check_same_thread=false").unwrap();
    let DatabaseUri::Sqlite { path, timeout } = uri else {
        panic!("{uri}");
    };
    assert_eq!(path, PathBuf::from("x.db"));
    assert_eq!(timeout, Some(Duration::from_millis(2500)));
    assert!(refused("sqlite:///x.db?mode=ro").contains("`mode`"));
    assert!(refused("sqlite:///x.db?uri=true").contains("`uri`"));
}

#[test]
fn a_sqlite_database_needs_a_file() {
    for uri in ["sqlite://", "sqlite:///", "sqlite:///:memory:"] {
        assert!(refused(uri).contains("in-memory"), "{uri}");
    }
    assert!(refused("sqlite://mlflow.db").contains("three slashes"));
}

#[test]
fn every_driver_name_leads_to_the_same_database() {
    for name in [
        "postgresql",
        "postgresql+psycopg2",
        "postgresql+psycopg",
        "postgres",
    ] {
        let config = postgres(&format!("{name}://me@db/mlflow"));
        assert_eq!(config.get_hosts(), [tcp("db")], "{name}");
        assert_eq!(config.get_ports(), [5432], "{name}");
        assert_eq!(config.get_dbname(), Some("mlflow"), "{name}");
    }
    for name in [
        "mysql",
        "mysql+pymysql",
        "mysql+mysqldb",
        "mysql+mysqlconnector",
        "mariadb+pymysql",
    ] {
        let opts = mysql(&format!("{name}://me@db/mlflow"));
        assert_eq!(opts.ip_or_hostname(), "db", "{name}");
        assert_eq!(opts.tcp_port(), 3306, "{name}");
        assert_eq!(opts.db_name(), Some("mlflow"), "{name}");
    }
}

#[test]
fn credentials_are_percent_decoded() {
    let config = postgres("postgresql://m%40e:p%2Fs%3Aw%25d+@db:6543/ml%20flow");
    assert_eq!(config.get_user(), Some("m@e"));
    assert_eq!(config.get_password(), Some(&b"p/s:w%d+"[..]));
    assert_eq!(config.get_ports(), [6543]);
    assert_eq!(config.get_dbname(), Some("ml flow"));
    let opts = mysql("mysql://m%40e:p%2Fs@db/x");
    assert_eq!((opts.user(), opts.pass()), (Some("m@e"), Some("p/s")));
}

#[test]
fn a_password_may_hold_what_ends_other_parts() {
    let config = postgres("postgresql://me:a/b:c?d@db/x");
    assert_eq!(config.get_password(), Some(&b"a/b:c?d"[..]));
    assert_eq!(config.get_hosts(), [tcp("db")]);
}

#[test]
fn ipv6_hosts_stand_in_brackets() {
    assert_eq!(
        postgres("postgresql://[::1]:99/x").get_hosts(),
        [tcp("::1")]
    );
    assert_eq!(mysql("mysql://u@[::1]:99/x").ip_or_hostname(), "::1");
    assert!(refused("postgresql://[::1/x").contains("`]`"));
    assert!(refused("postgresql://[::1]x/x").contains("`]`"));
}

#[test]
fn without_a_host_postgresql_is_reached_by_its_socket() {
    for (uri, folder) in [
        ("postgresql:///mlflow", "/var/run/postgresql"),
        ("postgresql://me@/mlflow?host=/run/pg", "/run/pg"),
        ("postgresql://me@ignored/mlflow?host=/run/pg", "/run/pg"),
    ] {
        let config = postgres(uri);
        assert_eq!(config.get_hosts(), [Host::Unix(folder.into())], "{uri}");
        assert_eq!(config.get_dbname(), Some("mlflow"), "{uri}");
    }
    let opts = mysql("mysql://me@/mlflow?unix_socket=/run/m.sock");
    assert_eq!(opts.socket(), Some("/run/m.sock"));
}

#[test]
fn several_postgresql_hosts_are_tried_in_order() {
    for uri in [
        "postgresql:///x?host=a:1,b".replace(":1,", ",") + "&port=1,5432",
        "postgresql://z:7/x?host=a:1&host=b".to_owned(),
    ] {
        let config = postgres(&uri);
        assert_eq!(config.get_hosts(), [tcp("a"), tcp("b")], "{uri}");
        assert_eq!(config.get_ports(), [1, 5432], "{uri}");
    }
    assert!(refused("postgresql:///x?host=a,b&port=1,2,3").contains("as many ports"));
    assert!(refused("mysql://a,b/x").contains("several hosts"));
}

#[test]
fn options_win_over_the_uris_own_parts() {
    let config = postgres("postgresql://u:p@h:1/d?user=u2&password=p2&host=h2&port=2&dbname=d2");
    assert_eq!(config.get_user(), Some("u2"));
    assert_eq!(config.get_password(), Some(&b"p2"[..]));
    assert_eq!(
        (config.get_hosts(), config.get_ports()),
        (&[tcp("h2")][..], &[2][..])
    );
    assert_eq!(config.get_dbname(), Some("d2"));
}

#[test]
fn libpqs_options_reach_the_driver() {
    use tokio_postgres::config::{ChannelBinding, TargetSessionAttrs};

    let config = postgres(
        "postgresql://h/d?connect_timeout=7&application_name=a+b&options=-csearch_path%3Dml\
         &target_session_attrs=read-write&keepalives=1&keepalives_idle=8&keepalives_interval=9\
         &keepalives_count=3&tcp_user_timeout=1500&channel_binding=require&client_encoding=utf8",
    );
    assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(7)));
    assert_eq!(config.get_application_name(), Some("a b"));
    assert_eq!(config.get_options(), Some("-csearch_path=ml"));
    assert_eq!(
        config.get_target_session_attrs(),
        TargetSessionAttrs::ReadWrite
    );
    assert_eq!(config.get_keepalives_idle(), Duration::from_secs(8));
    assert_eq!(
        config.get_keepalives_interval(),
        Some(Duration::from_secs(9))
    );
    assert_eq!(config.get_keepalives_retries(), Some(3));
    assert_eq!(
        config.get_tcp_user_timeout(),
        Some(&Duration::from_millis(1500))
    );
    assert_eq!(config.get_channel_binding(), ChannelBinding::Require);
}

#[test]
fn a_value_that_cannot_be_kept_is_refused_by_name() {
    for (uri, words) in [
        ("postgresql://h/d?sslmode=maybe", "sslmode is `maybe`"),
        (
            "postgresql://h/d?connect_timeout=soon",
            "connect_timeout is `soon`",
        ),
        (
            "postgresql://h/d?target_session_attrs=standby",
            "target_session_attrs is `standby`",
        ),
        ("postgresql://h/d?sslmode=verify-ca", "sslrootcert"),
        (
            "postgresql://h/d?sslmode=require&sslrootcert=system",
            "verify-full",
        ),
        ("postgresql://h/d?sslcert=a.pem", "go together"),
        (
            "postgresql://h/d?gssencmode=require",
            "gssencmode is `require`",
        ),
        (
            "postgresql://h/d?client_encoding=latin1",
            "client_encoding is `latin1`",
        ),
        ("postgresql://h/d?ssl_ca=x", "`ssl_ca`"),
        ("mysql://h/d?charset=latin1", "charset is `latin1`"),
        ("mysql://h/d?ssl_mode=maybe", "ssl_mode is `maybe`"),
        ("mysql://h/d?ssl_mode=VERIFY_CA", "ssl_ca"),
        ("mysql://h/d?ssl_key=a.pem", "go together"),
        ("mysql://h/d?sslmode=require", "`sslmode`"),
        ("mysql://h", "names no database"),
        ("mysql://h/", "names no database"),
        ("postgresql://h:0/d", "port"),
        ("postgresql://h:65536/d", "port"),
        (
            "mssql+pyodbc://u:p@h/d?driver=x",
            "SQL Server is not supported",
        ),
        ("oracle://h/d", "sqlite, postgresql, mysql or mariadb"),
        ("mlflow.db", "looks like"),
        ("./mlruns", "looks like"),
    ] {
        let error = refused(uri);
        assert!(error.contains(words), "{uri}: {error}");
    }
}

#[test]
fn it_is_shown_as_sqlalchemy_shows_it() {
    for (uri, shown) in [
        (
            "postgresql://user:secret@host/db",
            "postgresql://user:***@host/db",
        ),
        (
            "postgresql+psycopg2://u:secret@[::1]:1/d",
            "postgresql+psycopg2://u:***@[::1]:1/d",
        ),
        (
            "mysql://m%40e:secret@h/d?charset=utf8mb4",
            "mysql://m%40e:***@h/d?charset=utf8mb4",
        ),
        (
            "postgresql:///d?password=secret&user=me",
            "postgresql:///d?password=***&user=me",
        ),
        (
            "postgresql://u@h/d?options=-csearch_path%3Dml",
            "postgresql://u@h/d?options=-csearch_path%3Dml",
        ),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    ] {
        let read = DatabaseUri::parse(uri).unwrap();
        assert_eq!(read.to_string(), shown);
        assert_eq!(format!("{read:?}"), shown);
    }
}

#[test]
fn the_environment_fills_what_is_missing() {
    let variable = |name: &str| {
        let value = match name {
            "PGPASSWORD" => "secret",
            "PGHOST" => "elsewhere",
            "PGPORT" => "6000",
            "PGUSER" => "other",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let uri = DatabaseUri::parse("postgresql://me@/d").unwrap();
    let DatabaseUri::Postgres(uri) = uri.with_environment(variable).unwrap() else {
        panic!("another kind");
    };
    let config = uri.config().unwrap().0;
    assert_eq!(config.get_user(), Some("me"));
    assert_eq!(config.get_password(), Some(&b"secret"[..]));
    assert_eq!(
        (config.get_hosts(), config.get_ports()),
        (&[tcp("elsewhere")][..], &[6000][..])
    );
    assert!(!format!("{uri:?} {uri}").contains("secret"));
}

#[test]
fn a_bad_variable_is_refused_without_the_password() {
    let uri = DatabaseUri::parse("postgresql://me:secret@h/d").unwrap();
    let error = uri.with_environment(|name| (name == "PGSSLMODE").then(|| "maybe".to_owned()));
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("sslmode is `maybe`") && !error.contains("secret"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn what_is_encoded_is_read_back(user in "\\PC{1,12}", password in "\\PC{1,12}", database in "\\PC{1,12}") {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode as encode};

        let encoded = |words| encode(words, NON_ALPHANUMERIC).to_string();
        let uri = format!(
            "postgresql://{}:{}@host/{}",
            encoded(&user), encoded(&password), encoded(&database),
        );
        let config = postgres(&uri);
        prop_assert_eq!(config.get_user(), Some(user.as_str()));
        prop_assert_eq!(config.get_password(), Some(password.as_bytes()));
        prop_assert_eq!(config.get_dbname(), Some(database.as_str()));
        // What is shown can be read again, and names the same database.
        let shown = DatabaseUri::parse(&uri).unwrap().to_string();
        let again = postgres(&shown);
        prop_assert_eq!(again.get_user(), Some(user.as_str()));
        prop_assert_eq!(again.get_dbname(), Some(database.as_str()));
    }

    #[test]
    fn nothing_that_is_said_holds_the_password(
        name in prop::sample::select(vec!["postgresql", "mysql", "mssql", "sqlite", "x", "a b", ""]),
        before in "[a-z@:/?\\[]{0,6}",
        after in "[@a-z:/?=&\\]]{0,12}",
    ) {
        let uri = format!("{name}://{before}u:s3cr3tW0rd@{after}");
        let said = match DatabaseUri::parse(&uri) {
            Ok(read) => format!("{read} {read:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        // A password that stands where a host or path does is not one.
        let is_password = !before.contains(['/', '?', '[']);
        prop_assert!(!is_password || !said.contains("s3cr3tW0rd"), "{}", said);
    }

    #[test]
    fn reading_never_panics(uri in "(sqlite|postgresql|mysql)?(://)?\\PC{0,40}") {
        let _ = DatabaseUri::parse(&uri);
    }
}
