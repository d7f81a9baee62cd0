"""Tasks over threads: every result in its place, and no fault lost."""

import threading

import pytest

from siting.reach.threads import in_threads


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_result_stands_in_the_place_of_its_task(threads):
    assert in_threads(list(range(40)), lambda task: task * task, threads) == [task * task for task in range(40)]
    assert in_threads([], lambda task: task, threads) == []


def test_the_calling_thread_works_too_and_no_more_threads_than_tasks_start():
    names = set()
    meeting = threading.Barrier(2, timeout=10)

    def work(_):
        names.add(threading.current_thread())
        meeting.wait()

    in_threads([0, 1], work, 8)
    assert len(names) == 2
    assert threading.current_thread() in names


@pytest.mark.parametrize("fault", [ValueError("three"), KeyboardInterrupt()])
def test_a_fault_in_any_thread_ends_the_work_and_is_raised(fault):
    done = []

    def work(task):
        if task == 3:
            raise fault
        done.append(task)

    with pytest.raises(type(fault)):
        in_threads(list(range(100_000)), work, 3)
    assert len(done) < 99_999
    assert threading.active_count() == 1 or all(not t.name.endswith("(go_on)") for t in threading.enumerate())
