"""The trainer's installation: what fails before mlagents-learn reads its command line."""

from sessions.domain import shell_words
from sessions.domain.diagnosis.entries import Entry, Kind

INSTALLATION = (
    Entry(
        "protobuf_descriptors", "import",
        r"TypeError: Descriptors cannot (?:not )?be created directly",
        "The protobuf package is too new",
        "ML-Agents was generated for protobuf 3; the trainer's environment has version 4 or later, "
        "which refuses that code.",
        "In the trainer's environment run: pip install \"protobuf==3.20.3\". "
        "Setting PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python helps too, but is slow.",
    ),
    Entry(
        "numpy_alias", "import",
        r"module 'numpy' has no attribute '(?P<name>float|bool|int|object|str|complex|long|typeDict)'"
        r"|`np\.(?P<gone>\w+)` was removed in the NumPy 2",
        "NumPy is too new for this ML-Agents",
        "np.{name}{gone} is no longer in NumPy, and a package of the trainer still uses it.",
        "In the trainer's environment run: pip install \"numpy==1.23.5\".",
    ),
    Entry(
        "numpy_old", "import",
        r"module compiled against API version (?P<asked>0x\w{1,8}) but this version of numpy is (?P<there>0x\w{1,8})"
        # The sizes of NumPy 2, of 1.20 to 1.26 and of those before.
        r"|size changed, .{0,80}Expected (?P<size>96(?=\D.{0,20}got 8[08]\b)|88(?=\D.{0,20}got 80\b)"
        r"|216(?=\D.{0,20}got 192\b))\D.{0,20}got (?P<had>\d{2,3})",
        "NumPy is too old for another package",
        "A package, such as PyTorch or TensorFlow, was built for a newer NumPy than the one that is there "
        "({asked}{size} against {there}{had}).",
        "In the trainer's environment run: pip install \"numpy==1.23.5\". If it stays, reinstall the package that is "
        "named last above the error, in a release that belongs to that NumPy.",
    ),
    Entry(
        "numpy2_abi", "import",
        r"A module that was compiled using NumPy 1\.x cannot be run in|_ARRAY_API not found"
        r"|numpy\.core\.multiarray failed to import|numpy\.(?:dtype|ufunc|ndarray) size changed"
        r"|RuntimeError: Numpy is not available",
        "NumPy 2 meets packages built for NumPy 1",
        "Another package brought NumPy 2 into the trainer's environment.",
        "In the trainer's environment run: pip install \"numpy==1.23.5\".",
    ),
    Entry(
        "torch_numpy", "import",
        r"Could not infer dtype of numpy\.\w+|expected np\.ndarray \(got numpy\.ndarray\)",
        "PyTorch and NumPy do not fit together",
        "PyTorch was built for another NumPy and does not know the numbers of the one that is there.",
        "In the trainer's environment run: pip install \"numpy==1.23.5\", and reinstall torch (2.2.2 for ML-Agents "
        "1.1.0).",
    ),
    Entry(
        "cattrs_register", "import",
        r"Invalid first argument to `register\(\)`\. typing\.Dict",
        "Python is too new for this ML-Agents",
        "ML-Agents up to 0.29 describes its settings in a way that this Python's functools refuses.",
        "Use ML-Agents 0.30 or later; or Python 3.8 with: pip install \"cattrs==1.0.0\".",
        versions="<=0.29",
    ),
    Entry(
        "pkg_resources_missing", "import",
        r"No module named '?pkg_resources\b",
        "setuptools is too new",
        "setuptools 81 removed pkg_resources, which ML-Agents imports.",
        "In the trainer's environment run: pip install \"setuptools<81\".",
        versions="0.20 to 1.1.0",
    ),
    Entry(
        "distutils_missing", "import",
        r"No module named '?(?P<name>distutils|imp|asyncore|asynchat)\b"
        r"|(?P<old>pkgutil)' has no attribute 'ImpImporter'",
        "Python is too new: a part of it that is needed was removed",
        "ML-Agents, or a package of its environment, uses a part of {name}{old} which Python 3.12 no longer has.",
        "Use Python 3.10; or, in the trainer's environment, run: pip install \"setuptools<81\".",
    ),
    Entry(
        "attrs_key", "import",
        r"AttributeError: 'str' object has no attribute '_key'",
        "importlib-metadata is too new",
        "On Python 3.7, importlib-metadata 5 dropped what ML-Agents uses to find its plugins.",
        "In the trainer's environment run: pip install \"importlib-metadata==4.4\"; or use Python 3.8 or later.",
        versions="0.24 to 0.29",
    ),
    Entry(
        "torch_missing", "import",
        r"A compatible version of PyTorch was not installed|module 'torch' has no attribute",
        "PyTorch is missing or too old",
        "The trainer's environment has no PyTorch, or one older than 1.6.",
        "Install torch into the environment that runs mlagents-learn; version 2.2.2 works with ML-Agents 1.1.0.",
        versions=">=0.20",
    ),
    Entry(
        "torch_dll", "import",
        r"\[WinError (?:126|127|182|193|1114)\].{0,300}(?P<name>torch|c10|fbgemm|shm)"
        r"|DLL load failed while importing _C\b",
        "PyTorch cannot load its libraries",
        "Windows could not load a DLL of PyTorch: the Visual C++ runtime is missing, or CUDA and CPU builds are mixed.",
        "Install the Visual C++ 2015-2022 redistributable, then reinstall torch in the trainer's environment.",
    ),
    Entry(
        "mlagents_mixed", "import",
        r"cannot import name '?\w{1,100}'? from '?mlagents(?:_envs)?\b|cannot import name '?Unity\w{1,100}'?"
        r"|module 'mlagents(?:_envs)?(?:\.\w{1,100})*' has no attribute"
        r"|KeyError: 'mlagents\.(?:stats_writer|trainer_type)'",
        "The parts of ML-Agents are of different releases",
        "The packages mlagents and mlagents_envs, or the code and what pip noted of it, do not come from one release.",
        "In the trainer's environment run: pip uninstall mlagents mlagents_envs, then install both in the same "
        "version; a copy of the repository needs pip install -e again after each change of release.",
    ),
    Entry(
        "pip_build", "import",
        r"Failed building wheel for (?P<what>[\w.-]{1,100})|Could not build wheels for (?P<those>[\w.-]{1,100})"
        r"|(?:Building wheel for (?P<one>[\w.-]{1,100})|Preparing metadata|Getting requirements to build"
        r"|python setup\.py).{0,60} did not run successfully"
        r"|error: (?:legacy-install-failure|metadata-generation-failed)|error in (?P<old>[\w.-]{1,60}) setup command: "
        r"|Command \"python setup\.py .{1,500} failed with error code"
        r"|Cannot import 'setuptools\.build_meta'|Microsoft Visual C\+\+ .{1,30} (?:is|or greater is) required",
        "A package could not be installed",
        "There is no finished package for this Python ({what}{those}{one}{old}), and building it failed: mostly, the "
        "Python is newer than what this ML-Agents asks for.",
        "Make an environment with Python 3.10.12 (3.8 or 3.9 for ML-Agents up to 0.30) and install there; on a Mac "
        "with Apple's processor take grpcio from conda-forge first.",
    ),
    Entry(
        "import_error", "import",
        r"^(?:ModuleNotFoundError|ImportError): (?P<what>.+)",
        "A Python package is missing or broken",
        "Python could not import something: {what}",
        "Install what is missing into the trainer's environment, or make a fresh one: Python 3.10 and "
        "pip install mlagents.",
        kind=Kind.LAST_RESORT, lasting=True,
    ),
    Entry(
        "dll_or_cmd_missing", "spawn",
        r"mlagents-[a-z-]{1,20}['\"\u2019]?:? (?:is not recognized|command not found|not found)"
        rf"|mlagents-learn.{{0,20}}(?:{shell_words.NOT_FOUND})"
        r"|command not found: mlagents-learn|The term ['\"\u2018]?mlagents-learn"
        r"|[Uu]nknown command:? ['\"]?mlagents-learn"
        r"|(?:No such file or directory|cannot find the file specified): ['\"]?mlagents-learn",
        "mlagents-learn was not found",
        "ML-Agents is not installed in this environment, or the environment is not active, or this release has no such "
        "command.",
        "Activate the environment, or register the trainer's interpreter on the trainers page.",
    ),
)  # fmt: skip
