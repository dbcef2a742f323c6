"""Threads share units of work: each is done once, results are in order, errors end the work."""

import threading

import pytest

from memwave.core.workers import share, working


def test_without_threads_units_are_done_one_after_the_other():
    assert share(lambda n: (n, threading.get_ident()), range(3)) == [
        (n, threading.get_ident()) for n in range(3)
    ]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_unit_is_done_once_and_results_are_in_order(threads):
    done = []

    def square(n):
        done.append(n)
        return n * n

    with working(threads):
        assert share(square, range(100)) == [n * n for n in range(100)]
    assert sorted(done) == list(range(100))


def test_threads_work_at_the_same_time():
    barrier = threading.Barrier(3, timeout=30)
    with working(3):
        assert len(set(share(lambda n: barrier.wait(), range(3)))) == 3


def test_an_error_ends_the_work_and_is_raised():
    done = []

    def fail(n):
        if n == 3:
            raise ValueError("unit 3")
        done.append(n)

    with working(2):
        with pytest.raises(ValueError, match="unit 3"):
            share(fail, range(10**6))
        assert len(done) < 10**6
        assert share(str, range(2)) == ["0", "1"]


def test_an_error_in_another_thread_is_raised_here():
    here = threading.get_ident()
    barrier = threading.Barrier(2, timeout=30)

    def fail(n):
        barrier.wait()
        if threading.get_ident() != here:
            raise ValueError("elsewhere")

    with working(2), pytest.raises(ValueError, match="elsewhere"):
        share(fail, range(2))


def test_a_unit_does_not_share_its_own_work():
    barrier = threading.Barrier(3, timeout=30)

    def nested(n):
        barrier.wait()
        return len(set(share(lambda m: threading.get_ident(), range(50))))

    with working(3):
        assert share(nested, range(3)) == [1, 1, 1]
