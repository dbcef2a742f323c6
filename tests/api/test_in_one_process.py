"""A fit in the process of a user: its threads, interrupts, and what it draws."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from small_matrices import COLUMNS, ROWS, K, matrix

import memwave
from memwave.pca.solvers import feature_solvers

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_bits_depend_on_neither_threads_nor_the_interpreter(tmp_path):
    rows = matrix("float32", 4000)
    for solver in feature_solvers():
        fits = [
            memwave.PCA(K, solver=solver, threads=threads, block_mb=0.1).fit(rows)
            for threads in (1, 3)
        ]
        np.testing.assert_array_equal(fits[0].components_, fits[1].components_)


@pytest.fixture
def interrupts():
    """Interrupts raise, as in a terminal; a shell's job in the background ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_leaves_the_object_as_it_was():
    rows = matrix("float64")
    pca = memwave.PCA(K, threads=2).fit(rows)
    before, threads_before = pca.components_.copy(), threading.active_count()

    class Interrupting:
        """An array that is interrupted when its middle is read."""

        shape, dtype = (200_000, COLUMNS), np.dtype("float64")

        interrupted = False

        def __getitem__(self, rows):
            if rows.start > 100_000 and rows.stop - rows.start > 1 and not self.interrupted:
                self.interrupted = True
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.5)  # for the main thread to notice
            return np.random.default_rng(0).normal(size=(rows.stop - rows.start, COLUMNS))

    for threads in (1, 2):
        pca.set_params(threads=threads, block_mb=0.5)
        with pytest.raises(KeyboardInterrupt):
            pca.fit(Interrupting())
        np.testing.assert_array_equal(pca.components_, before)
        assert threading.active_count() == threads_before
    assert pca.transform(rows).shape == (ROWS, K)
    assert pca.fit(rows[:99]).n_samples_ == 99


ONE_THREAD = """
import sys
sys.path.insert(0, sys.argv[1])
import memwave
import numpy as np
from threadpoolctl import threadpool_info
def threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
class Matrix:
    shape, dtype = (900, 20), np.dtype("float64")
    def __getitem__(self, rows):
        seen.append((len(threadpool_info()), threads()))
        return np.random.default_rng(0).normal(size=(rows.stop - rows.start, 20))
seen, before = [], threads()
memwave.PCA(3, solver="incremental").fit(Matrix())
assert all(found == {1} for _, found in seen), seen[-1]
assert seen[-1][0] == len(threadpool_info())  # no BLAS came later, with threads of its own
assert before <= threads(), (before, threads())

# Two threads of the program: the first one ends while the second one computes.
from threading import Event, Thread
inside, first_is_done = Event(), Event()
class Waiting(Matrix):
    def __getitem__(self, rows):
        inside.set()
        assert first_is_done.wait(50)
        return super().__getitem__(rows)
second = Thread(target=memwave.PCA(3).fit, args=[Waiting()])
class Starting(Matrix):
    def __getitem__(self, rows):
        if not inside.is_set():
            second.start()
            assert inside.wait(50)
        return super().__getitem__(rows)
del seen[:]
memwave.PCA(3).fit(Starting())
first_is_done.set()
second.join()
assert all(found == {1} for _, found in seen), seen[-1]
assert before <= threads(), (before, threads())
"""


def test_blas_has_one_thread_while_it_computes_and_no_longer():
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    run = [sys.executable, "-c", ONE_THREAD, str(SCRIPTS)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr


def test_progress_is_drawn_if_wanted(capfd):
    class Slow(memwave.PCA):
        def _bar(self, total, label):
            bar = super()._bar(total, label)
            bar.ON_TERMINAL = 0
            return bar

    Slow(K).fit(matrix())
    assert capfd.readouterr().err == ""
    Slow(K, verbose=True).fit(matrix())
    assert "100%" in capfd.readouterr().err
