"""What the Snakefile asks: which files, parameters and resources a job of a rule has.

Everything is a method that takes a job's wildcards, so that the Snakefile stays a picture of the
data flow. Nothing here reads more than headers of files.
"""

import os
import sys
from collections.abc import Callable

from memwave.core.errors import ConfigurationError
from memwave.recordings.channels import MEASURED_SCALES
from memwave.workflow.parameters import Parameters


class Workflow(Parameters):
    """A checked configuration, as the Snakefile sees it."""

    def plots(self, *patterns: str) -> list[str]:
        """Fill patterns of figures with every experiment's names, if those are wanted."""
        wanted = patterns if self.settings["plots"] is True else ()
        return [path for pattern in wanted for path in self.of_experiments(pattern)]

    def comparisons(self, *paths: str) -> list[str]:
        """Figures of all experiments together, if those are wanted."""
        return list(paths) if self.settings["plots"] else []

    def usage_files(self, pattern: str) -> list[str]:
        """Fill a pattern with the jobs, as dataset/features/stage/shard, of all experiments."""
        jobs = []
        for e in self.experiments:
            for number, r in enumerate(self._recordings[e.dataset], 1):
                if r.path != r.source:
                    jobs.append(f"{e.dataset}/usage/convert_recording/{number}")
                if r.converts_labels:
                    jobs.append(f"{e.dataset}/usage/convert_labels/{number}")
            if self.spec(e.dataset, e.features).scale in MEASURED_SCALES:
                jobs.append(f"{e.dataset}/usage/measure_channels")
            stages = ["find_gaps"] * bool(self.kept_files(e))
            stages += ["extract_features"] * self.spec(e.dataset, e.features).store
            for stage in stages:
                jobs += [f"{e.dataset}/{e.features}/usage/{stage}/{s}" for s in self.shards]
            if self.feature_measures(e):
                stage = f"{e.dataset}/{e.features}/usage/measure_features"
                jobs += [f"{stage}/{s}" for s in self.shards]
            model = f"{e.dataset}/{e.features}/{e.model}/usage"
            if summarizes := self._summarizes(e):
                jobs += [f"{model}/{summarizes}/{s}" for s in self.shards]
            jobs.append(f"{model}/{'adopt_model' if 'apply' in self.model(e) else 'fit_model'}")
            jobs += [f"{model}/{self._projects(e)}/{s}" for s in self.shards]
            jobs.append(f"{model}/write_projection")
        return [pattern.format(job=job) for job in dict.fromkeys(jobs)]

    def farewell(self) -> str:
        """Where the results are and how to open them, for the end of a run."""
        first = self.of_experiments("results/{dataset}/{features}/{model}")[0]
        count = len(self.experiments)
        python = os.path.relpath(sys.executable)
        python = "python" if python.startswith("..") else python
        lines = [
            "",
            f"Done: {count} experiment{'s' if count > 1 else ''}.",
            "  compared   results/summary.tsv; in a browser: results/summary.html",
        ]
        if self.settings["plots"]:
            lines.append(
                "  figures    results/plots/*.svg, and results/<dataset>/<features>/<model>/plots/"
            )
            lines.append("  all in one snakemake --report report.html")
        lines += [
            "  data       results/<dataset>/<features>/<model>/{model,projection}.h5, such as",
            f"  {python} -c 'import h5py; "
            f'f = h5py.File("{first}/projection.h5"); print(f["scores"])\'',
        ]
        return "\n".join(lines)

    def condolence(self) -> str:
        """What to do after a run in which a job failed."""
        done = self.of_experiments("results/{dataset}/{features}/{model}/projection.h5")
        finished = [path for path in done if os.path.exists(path)]
        return (
            f"\nNot done: a job failed; its message is above, and in logs/. {len(finished)} of "
            f"{len(done)} experiments have a projection. Mend the cause and run again: what is "
            "finished stays. A log that ends without a reason is that of a job that was killed: "
            "docs/hpc.md tells by what."
        )


def open_workflow(config: dict, *, planning: bool, submits: Callable[[], bool]) -> Workflow:
    """Check a configuration; if it cannot be run, say why and end the process; see `Workflow`.

    Warnings go to standard error.
    """
    try:
        workflow = Workflow(config, planning=planning, submits=submits)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    for warning in workflow.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    return workflow
