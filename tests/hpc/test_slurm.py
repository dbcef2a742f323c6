"""The workflow on a SLURM cluster: where it runs, what it asks for, and what it survives."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cluster import NODES, Cluster, install, lacking, run, until
from tiny_project import copy_workflow, digests

from memwave.workflow.planning.memory.processes import LAUNCHER_MB

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.hpc

EXPERIMENT = {"dataset": "hapt", "features": "haar", "model": ["exact", "randomized"]}
SHARDS = 2
UNFINISHED = ("PENDING", "RUNNING", "COMPLETING")
MODEL = "results/hapt/haar/randomized/model.h5"
# A run that hangs is killed, and the test fails.
PATIENCE = 300

# What a site writes into the profile: what stands there commented out, and what instead.
SITE = {
    "# - slurm_account=<account>": "- slurm_account=pca",
    "# slurm-partition-config: <file>": "slurm-partition-config: partitions.yaml",
    "# set-resources:": "set-resources:",
    "#   - fit_model:slurm_partition=<partition>": "  - fit_model:slurm_partition=main",
}
PARTITIONS = {"partitions": {"short": {"max_runtime": 30}, "main": {"max_runtime": 10000}}}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    reason = lacking()
    if reason:
        pytest.skip(reason)
    install()
    with Cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        run(["sacctmgr", "-iQ", "add", "account", "pca"])
        run(["sacctmgr", "-iQ", "add", "user", "root", "account=pca"])
        yield cluster


@pytest.fixture(scope="module")
def local(cluster, tmp_path_factory):
    """Results of a run on this machine alone."""
    folder = make_project(tmp_path_factory.mktemp("local"))
    run(command("--cores", "2"), cwd=folder, timeout=PATIENCE)
    return results(folder)


@pytest.fixture(scope="module")
def finished(cluster, tmp_path_factory):
    """A project whose experiment has run on the cluster, and what Snakemake said."""
    folder = make_project(tmp_path_factory.mktemp("cluster"))
    return folder, submit(folder)


def make_project(folder):
    """Copy the workflow and its recordings, with a smaller experiment and a site's profile."""
    copy_workflow(folder, "config", "resources")
    config = yaml.safe_load((folder / "config/config.yaml").read_text())
    config |= {"experiments": [EXPERIMENT], "shards": SHARDS, "plots": False}
    # Measuring channels asks for no time, and so goes to any partition.
    config["features"]["haar"]["scale"] = "none"
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    profile = folder / "profiles/slurm/config.yaml"
    text = profile.read_text()
    for general, special in SITE.items():
        assert text.count(general) == 1
        text = text.replace(general, special)
    profile.write_text(text)
    (folder / "partitions.yaml").write_text(yaml.safe_dump(PARTITIONS))
    return folder


def command(*arguments):
    return [sys.executable, "-m", "snakemake", *arguments]


def on_cluster(*arguments):
    # Jobs here are over in seconds: look at them earlier than the profile does.
    early = ("--slurm-init-seconds-before-status-checks", "2")
    return command("--workflow-profile", "profiles/slurm", *early, *arguments)


class Run:
    """Snakemake at work on the cluster, in the background."""

    def __init__(self, folder, *arguments):
        self.log = folder / "snakemake.out"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *on_cluster(*arguments)],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def running_job(self):
        """Wait until SLURM has started a job of this run; return its number."""
        until(lambda: self.jobs("RUNNING"), unless=self.ended)
        return self.jobs("RUNNING")[0]

    def jobs(self, *states):
        """Numbers of this run's jobs that SLURM has in one of these states."""
        if "SLURM run ID" not in self.told():
            return []
        chosen = ["squeue", "--noheader", "--format=%A", "--name", self.identity]
        return run([*chosen, "--states", ",".join(states)]).split()

    @property
    def identity(self):
        return run_identity(self.told())

    def told(self):
        return self.log.read_text()

    def end(self):
        """Wait for the end; return the status."""
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {PATIENCE} s: {self.told()}")

    def ended(self):
        return None if self.process.poll() is None else self.told()


def submit(folder, *arguments):
    """Run on the cluster to a good end; return what Snakemake said."""
    with Run(folder, *arguments) as running:
        assert running.end() == 0, running.told()
        return running.told()


def run_identity(told):
    return re.search(r"SLURM run ID: (\S+)", told)[1]


def results(folder):
    """Digests of everything in the results that must not depend on the run."""
    found = digests(folder / "results")
    return {name: d for name, d in found.items() if name.endswith((".npy", ".h5"))}


def account(identity, *fields):
    """What SLURM's accounting knows of a run: the fields of every job and step."""
    chosen = ["sacct", "--name", identity, "--parsable2", "--noheader"]
    told = run([*chosen, f"--format={','.join(fields)}"])
    return [line.split("|") for line in told.splitlines()]


def test_the_bytes_are_those_of_a_local_run(finished, local):
    folder, _ = finished
    assert local
    assert results(folder) == local


def test_jobs_run_on_both_nodes(finished, capsys):
    """Shows what SLURM's accounting has of them; MaxRSS has pages of mapped files in it."""
    _, told = finished
    identity = run_identity(told)
    columns = "JobID%8,Partition,NodeList%8,AllocCPUS%5,ReqMem,MaxRSS,Timelimit,Elapsed,State"
    with capsys.disabled():
        print("\n" + run(["sacct", "--name", identity, "--units=M", f"--format={columns}"]))
    jobs = [job for job in account(identity, "JobID", "NodeList", "State") if job[0].isdigit()]
    assert {node for _, node, _ in jobs} == set(NODES)
    assert {state for _, _, state in jobs} == {"COMPLETED"}
    everything = int(re.search(r"^total\s+(\d+)", told, re.MULTILINE)[1])
    assert len(jobs) == told.count("has been submitted") < everything


def test_jobs_ask_for_what_was_predicted(finished):
    folder, told = finished
    asked = account(run_identity(told), "JobID", "ReqMem", "TimelimitRaw", "Comment", "MaxRSS")
    jobs = [job for job in asked if job[0].isdigit()]
    requests = set(re.findall(r"\((\d+) MB\)$", told, re.MULTILINE))
    assert {memory.removesuffix("M") for _, memory, *_ in jobs} <= requests
    assert {int(minutes) for _, _, minutes, *_ in jobs} >= {5, 5 * SHARDS}
    usage = (folder / "results/hapt/haar/exact/usage/fit_model.json").read_text()
    predicted = int(re.search(r'"predicted_mb": (\d+)', usage)[1])
    assert f"fit_model: hapt/haar/exact ({predicted + LAUNCHER_MB} MB)" in told
    assert any(rss not in ("", "0") for *_, rss in asked)


def test_jobs_go_to_the_partitions_that_the_profile_names(finished):
    _, told = finished
    jobs = account(run_identity(told), "JobID", "Partition", "Comment")
    found = {
        (re.match(r"(?:rule|group)_([a-z]+)", comment)[1], partition)
        for job, partition, comment in jobs
        if job.isdigit()
    }
    assert ("fit", "main") in found
    assert {partition for rule, partition in found if rule != "fit"} == {"short"}


def test_a_job_over_its_memory_is_explained(finished):
    folder, _ = finished
    (folder / MODEL).unlink()
    little = ("--set-resources", "fit_model:mem_mb=60", "fit_model:slurm_partition=main")
    with Run(folder, *little, "--retries", "0", "--", MODEL) as running:
        assert running.end() != 0
        told = running.told()
        states = {state for _, state in account(running.identity, "JobID", "State")}
    assert "OUT_OF_MEMORY" in states
    (log,) = set(re.findall(r"\(log: (\S+)\)", told))
    assert "oom" in Path(log).read_text()
    assert "docs/hpc.md" in told
    assert not (folder / MODEL).exists()


def test_nothing_is_lost_by_an_interrupt_a_kill_and_a_cancelled_job(finished, local):
    folder, _ = finished
    (folder / MODEL).unlink(missing_ok=True)
    with Run(folder, MODEL) as running:
        running.running_job()
        running.process.send_signal(signal.SIGINT)
        assert running.end() != 0
        until(lambda: not running.jobs(*UNFINISHED))  # Snakemake has cancelled them
    with Run(folder, MODEL) as running:
        running.running_job()
        running.process.kill()
        running.end()
        assert running.jobs("RUNNING"), "a job goes on without Snakemake"
        run(["scancel", "--name", running.identity])
        until(lambda: not running.jobs(*UNFINISHED))
    with Run(folder, MODEL) as running:
        assert running.end() != 0
        assert "--unlock" in running.told()
    run(command("--unlock"), cwd=folder)
    assert not (folder / MODEL).exists()
    with Run(folder, MODEL) as running:
        first = running.running_job()
        run(["scancel", first])
        until(lambda: set(running.jobs("RUNNING")) - {first}, unless=running.ended)
        launchers = highest_launchers_mb(running)
        assert running.end() == 0, running.told()
        assert f"SLURM-job '{first}' failed" in running.told()
    assert results(folder) == local
    assert not list(folder.glob("results/**/.*.partial-*"))
    assert 50 < launchers <= LAUNCHER_MB


def highest_launchers_mb(running):
    """MB of anonymous memory that the Snakemakes of a running job have at most, until it ends."""
    (job,), most = running.jobs("RUNNING"), 0.0
    while running.jobs("RUNNING"):
        most = max(most, launchers_mb(job))
    return most


def launchers_mb(job):
    """MB of anonymous memory of all Snakemakes in a job at this moment."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            arguments = (process / "cmdline").read_bytes()
            status = (process / "status").read_text()
        except OSError:
            continue  # it has ended
        ours = f"SLURM_JOB_ID={job}".encode() in environment.split(b"\0")
        if ours and b"snakemake\0--snakefile" in arguments and b"-m\0snakemake" in arguments:
            anonymous = int(re.search(r"RssAnon:\s+(\d+)", status)[1]) * 1024
            # A process that is about to become another program shows the memory and the arguments
            # of its parent, which are counted once.
            found[arguments] = max(anonymous, found.get(arguments, 0))
    return sum(found.values()) / 1e6
