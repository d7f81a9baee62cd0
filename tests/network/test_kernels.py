import os
import shutil
import subprocess
import sys
from pathlib import Path

import siting

CALL = """
import numpy as np, numba
from siting.network._kernels import hilbert_keys
print(hilbert_keys(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])).tolist())
print(sum(hilbert_keys.stats.cache_hits.values()), repr(numba.config.CACHE_DIR))
"""


def test_kernels_work_and_are_kept_where_nothing_but_the_temporary_folder_can_be_written(tmp_path):
    package = tmp_path / "install" / "siting"
    (package / "network").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "network" / "__init__.py").touch()
    shutil.copy(Path(siting.__file__).parent / "network" / "_kernels.py", package / "network")
    (package / "network" / "__pycache__").touch()  # a file where the folder would be: not even root can write there
    (tmp_path / "temporary").mkdir()
    nowhere = os.fspath(tmp_path / "install" / "siting" / "__init__.py")
    temporary = os.fspath(tmp_path / "temporary")
    environment = os.environ | {
        "PYTHONPATH": os.fspath(tmp_path / "install"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "USERPROFILE"), nowhere),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary),
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    printed = [
        subprocess.run(
            [sys.executable, "-c", CALL], env=environment, check=True, capture_output=True, text=True, cwd=tmp_path
        ).stdout.splitlines()
        for _ in range(2)
    ]
    assert printed[0] == ["[0, 4294967295, 2863311530, 1431655765]", "0 ''"]
    assert printed[1] == [printed[0][0], "1 ''"]
