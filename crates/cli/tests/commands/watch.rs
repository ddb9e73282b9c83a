//! `runledger watch`: one look in a pipe, and the real thing in a terminal.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::experiments::create;
use super::snapshot;
use super::world::{Kind, World};

/// A run with twenty points of a falling loss and a rising accuracy.
fn run(world: &World, experiment: &str, name: &str, factor: f64) -> String {
    let id = world.run(experiment, name);
    for step in 0..20_i32 {
        let loss = factor / f64::from(step + 1);
        let (loss, accuracy) = (format!("loss={loss}"), format!("acc={}", 1.0 - loss / 4.0));
        let step = step.to_string();
        world.ok(&[
            "runs",
            "log",
            "--run-id",
            &id,
            "-m",
            &loss,
            "-m",
            &accuracy,
            "--step",
            &step,
            "--timestamp",
            "1767225600000",
        ]);
    }
    id
}

#[test]
fn one_look_fits_80_columns_and_24_lines() {
    for world in World::all() {
        let x = create(&world, "e");
        let first = run(&world, &x, "quick-fox-1", 1.0);
        let second = run(&world, &x, "slow-snail-2", 2.0);
        for run in [&first, &second] {
            world.ok(&["runs", "update", "--run-id", run, "--status", "killed"]);
        }
        let text = world.ok(&["watch", "--once", &first, &second]);
        assert_eq!(text.lines().count(), 24, "{text}");
        let wide = text.lines().filter(|line| line.chars().count() > 80);
        assert_eq!(wide.count(), 0, "{text}");
        let mut lines: Vec<_> = text.lines().collect();
        // Where it is, when it is, and how long it took.
        lines.remove(0);
        let text = lines.join("\n").replace(&first[..8], "00000001");
        let text = text.replace(&second[..8], "00000002");
        snapshot::assert("watch", &world.anywhere(&(text + "\n")));
        let by_experiment = world.ok(&["watch", "--once", "-x", &x, "-m", "loss"]);
        assert!(by_experiment.contains("slow-snail-2"), "{by_experiment}");
        // Not anywhere in the text: an id may have `acc` in it.
        let charted = |key: &str| by_experiment.lines().any(|line| line.starts_with(key));
        assert!(charted("loss ") && !charted("acc "), "{by_experiment}");
    }
}

#[test]
fn a_mistake_is_one_line() {
    let world = World::of(Kind::Database);
    create(&world, "e");
    let missing = world.fails(&["watch", "--once", "gone"], 1);
    assert!(missing.contains("id=gone not found"), "{missing}");
    let pipe = world.fails(&["watch", "gone"], 2);
    assert!(pipe.contains("--once"), "{pipe}");
    world.fails(&["watch", "--once"], 2);
}

/// A terminal of 80 columns and 24 lines.
struct Tmux {
    socket: String,
}

impl Tmux {
    /// Runs a script of bash in a terminal.
    fn start(world: &World, script: &str) -> Self {
        std::fs::write(world.path().join("script"), script).unwrap();
        let name = world.path().file_name().unwrap().to_str().unwrap();
        let tmux = Self {
            socket: format!("runledger-{name}"),
        };
        let uri = format!("MLFLOW_TRACKING_URI={}", world.uri);
        let run = [
            "new-session",
            "-d",
            "-x",
            "80",
            "-y",
            "24",
            "-e",
            &uri,
            "bash --norc script",
        ];
        let started = tmux.command(&run).current_dir(world.path()).status();
        let started = started.expect("tmux is there: `apt-get install tmux`");
        assert!(started.success());
        tmux
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command
            .args(["-L", &self.socket, "-f", "/dev/null"])
            .args(arguments)
            .env("LANG", "C.UTF-8")
            .env_remove("TMUX")
            .stderr(Stdio::null());
        command
    }

    fn keys(&self, keys: &str) {
        assert!(
            self.command(&["send-keys", keys])
                .status()
                .unwrap()
                .success()
        );
    }

    fn screen(&self) -> String {
        let output = self.command(&["capture-pane", "-p"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until the screen is as it should be.
    fn until(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let begin = Instant::now();
        loop {
            let screen = self.screen();
            if is(&screen) {
                return screen;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(30),
                "{what}:\n{screen}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).status();
    }
}

#[test]
fn a_terminal_shows_what_comes_and_is_given_back() {
    let world = World::of(Kind::Database);
    let x = create(&world, "e");
    let id = run(&world, &x, "quick-fox-1", 1.0);
    let program = env!("CARGO_BIN_EXE_runledger");
    let script =
        format!("echo before\n{program} watch -i 1 {id}\necho ended $?\nstty -a\nsleep 60\n");
    let tmux = Tmux::start(&world, &script);
    let screen = tmux.until("the charts", |screen| screen.contains("q quit"));
    assert!(
        screen.contains("quick-fox-1") && screen.contains("loss  A 0.05"),
        "{screen}"
    );
    world.ok(&[
        "runs", "log", "--run-id", &id, "-m", "loss=7", "--step", "20",
    ]);
    tmux.until("the new point", |screen| screen.contains("loss  A 7"));
    tmux.keys("l");
    tmux.until("the scale", |screen| screen.contains("l linear"));
    assert!(
        tmux.command(&["resize-window", "-x", "50", "-y", "20"])
            .status()
            .unwrap()
            .success()
    );
    tmux.until("the new size", |screen| {
        screen.lines().count() == 20
            && screen.lines().all(|line| line.chars().count() <= 50)
            && screen.contains("q quit")
    });
    tmux.keys("q");
    let screen = tmux.until("the end", |screen| {
        screen.contains("ended 0") && screen.contains(" icanon ")
    });
    assert!(
        screen.contains("before") && !screen.contains("quick-fox"),
        "{screen}"
    );
    assert!(screen.contains(" echo "), "{screen}");
}

#[test]
fn a_run_that_ended_makes_room_for_one_that_runs() {
    let world = World::of(Kind::Database);
    let x = create(&world, "e");
    let ids: Vec<_> = (1..=8)
        .map(|number| world.run(&x, &format!("run-{number}")))
        .collect();
    let program = env!("CARGO_BIN_EXE_runledger");
    let script = format!("{program} watch -i 1 -x {x}\n");
    let tmux = Tmux::start(&world, &script);
    tmux.until("eight runs", |screen| {
        (1..=8).all(|number| screen.contains(&format!("run-{number}")))
    });
    for id in [&ids[4], &ids[2]] {
        world.ok(&["runs", "update", "--run-id", id, "--status", "finished"]);
    }
    let screen = tmux.until("two that ended", |screen| {
        screen.matches("FINISHED").count() == 2
    });
    assert!(screen.contains("run-5"), "{screen}");
    world.run(&x, "newcomer");
    let screen = tmux.until("the new one", |screen| screen.contains("newcomer"));
    assert!(
        !screen.contains("run-5") && screen.contains("run-3"),
        "{screen}"
    );
}

#[test]
fn a_signal_gives_the_terminal_back_too() {
    let world = World::of(Kind::Server);
    let x = create(&world, "e");
    let id = run(&world, &x, "quick-fox-1", 1.0);
    let program = env!("CARGO_BIN_EXE_runledger");
    let script = format!(
        "sh -c 'echo $$ > pid; exec {program} watch -i 1 {id}'\necho ended\nstty -a\nsleep 60\n"
    );
    let tmux = Tmux::start(&world, &script);
    tmux.until("the charts", |screen| screen.contains("q quit"));
    let pid = std::fs::read_to_string(world.path().join("pid")).unwrap();
    assert!(
        Command::new("kill")
            .args(["-INT", pid.trim()])
            .status()
            .unwrap()
            .success()
    );
    let screen = tmux.until("the end", |screen| {
        screen.contains("ended") && screen.contains(" icanon ")
    });
    assert!(!screen.contains("quick-fox"), "{screen}");
}
