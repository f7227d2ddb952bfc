"""Packages and libraries of the trainer's Python that do not live together: what no entry of ML-Agents' own names."""

from sessions.domain.diagnosis.entries import Entry, Kind

FRESH = "Make a fresh environment: Python 3.10 and pip install mlagents. Then register its interpreter with MENTOR."

PACKAGES = (
    Entry(
        "mlagents_missing", "import",
        r"No module named '?mlagents(?:_envs)?\b",
        "ML-Agents is not in this Python",
        "The interpreter that was started has no package mlagents: it is another one than that of the environment.",
        "Register the interpreter of the environment in which mlagents is installed, or run: pip install mlagents.",
    ),
    Entry(
        "wrong_python", "import",
        r"requires a different Python|No matching distribution found for mlagents"
        r"|TypeError: 'type' object is not subscriptable|unsupported operand type\(s\) for \|: '(?:type|_GenericAlias)'"
        r"|cannot import name '(?:Mapping|MutableMapping|Iterable|Callable|Sequence)' from 'collections'"
        r"|module 'collections' has no attribute|SyntaxError: .{1,200}|module 'inspect' has no attribute 'getargspec'"
        r"|require a different [Pp]ython version(?:.{0,5000}\n){1,4}ERROR: No matching distribution",
        "The Python version does not fit",
        "A package was written for an older or a newer Python than the one that runs it.",
        "ML-Agents 1.x wants Python 3.10. " + FRESH,
    ),
    Entry(
        "glibc", "import",
        r"version `(?P<what>(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found",
        "The system is older than a package of the trainer",
        "A library needs {what}, which this system's C or C++ library does not have.",
        "Use a newer system or container; for GLIBCXX in conda run: conda install -c conda-forge libstdcxx-ng. "
        "Otherwise install older versions of the package that the message names.",
    ),
    Entry(
        "memory_map", "import",
        r"(?P<what>\S+): (?:failed to map segment from shared object|cannot allocate memory in static TLS block)",
        "A library of the trainer could not be brought into memory",
        "{what} did not fit: a limit on memory is too low, or its folder may hold nothing that is executed (noexec).",
        "Raise the limit (ulimit -v, or the container's memory) or move the environment to another disk.",
        remedies=("again",),
    ),
    Entry(
        "shared_object", "import",
        r"(?P<what>lib[\w.+-]+\.so[\w.]*): (?:cannot open shared object file|undefined symbol)"
        r"|(?P<name>\S+\.so\S*): undefined symbol|Library not loaded: (?P<mac>\S+)",
        "A library of the trainer is missing or of another version",
        "{what}{name}{mac} cannot be loaded: a package of the system is missing, or CUDA and CPU builds are mixed.",
        "Install what is named through the system's packages (libgomp1, for example), or reinstall torch in the "
        "trainer's environment.",
    ),
    Entry(
        "processor", "import",
        r"incompatible architecture|mach-o, but wrong architecture|wrong ELF class",
        "A package was built for another processor",
        "An interpreter for Intel meets packages for Apple's processors, or the other way round.",
        "Use one kind for all. " + FRESH,
    ),
    Entry(
        "openmp_twice", "any",
        r"OMP: Error #15|Initializing lib(?:iomp5|omp)\S*, but found",
        "Two copies of OpenMP meet",
        "Packages of conda and of pip each brought one, and the second one ends the program.",
        "Have everything from pip or everything from conda; KMP_DUPLICATE_LIB_OK=TRUE helps for the time being.",
    ),
    Entry(
        "protobuf_other", "import",
        r"cannot import name '(?:builder|runtime_version)' from 'google\.protobuf"
        r"|Detected (?:incompatible|mismatched) Protobuf Gencode|'MessageFactory' object has no attribute"
        r"|Couldn't build proto file into descriptor pool|import name 'symbol_database'",
        "The protobuf package does not fit",
        "Code that was generated for one version of protobuf meets another.",
        "In the trainer's environment run: pip install \"protobuf==3.20.3\".",
    ),
    Entry(
        "grpc_package", "import",
        r"The grpc package installed is at version|cannot import name 'cygrpc'|No module named '?grpc\._cython"
        r"|cygrpc\S{0,200}: symbol not found|cygrpc\S{0,200}, 0x\w{1,16}\): symbol not found",
        "The grpcio package does not fit",
        "Trainer and Unity talk through gRPC, and its package cannot be used.",
        "In the trainer's environment run: pip install --force-reinstall grpcio; on a Mac: conda install grpcio.",
    ),
    Entry(
        "attrs_cattrs", "import",
        r"cannot import name '\w+' from '(?:attrs?|cattrs?)\b|module '(?:attrs?|cattrs?)' has no attribute"
        r"|StructureHandlerNotFoundError|Unsupported type: .{1,300}Register a structure hook"
        r"|issubclass\(\) arg 1 must be a class|module 'typing' has no attribute|cannot import name '\w+' from 'typing",
        "attrs, cattrs or typing do not fit this ML-Agents",
        "ML-Agents reads its settings with attrs and cattrs, and another version of them, or of Python, is there.",
        "In the trainer's environment run: pip install \"cattrs>=1.1,<1.7\" \"attrs>=19.3,<23\". Or: " + FRESH,
    ),
    Entry(
        "cattrs_validation", "config",
        r"cattrs?\.errors\.(?:Class|Iterable)ValidationError|ForbiddenExtraKeysError|While structuring \w+",
        "cattrs is too new, and the configuration has a mistake",
        "A setting cannot be read; newer versions of cattrs wrap what ML-Agents says about it.",
        "Have the file checked: manage.py validate names the line.",
        kind=Kind.LAST_RESORT, remedies=("edit",),
    ),
    Entry(
        "packages_conflict", "import",
        r"pkg_resources\.(?:DistributionNotFound|(?:Contextual)?VersionConflict)(?:: (?P<which>.+))?"
        r"|PackageNotFoundError: (?P<what>.+)|'EntryPoints' object has no attribute 'get'",
        "Packages of the trainer contradict each other",
        "A package is missing, or has another version than the others ask for. {which}{what}",
        "pip check lists what does not fit. " + FRESH,
    ),
    Entry(
        "tensorflow_version", "import",
        r"module 'tensorflow[\w.]{0,60}' has no attribute|No module named '?tensorflow\.contrib",
        "TensorFlow is too new for this ML-Agents",
        "ML-Agents up to 0.21 trained with TensorFlow: 1.x, from 0.12 on also 2.x.",
        "Install the TensorFlow that this ML-Agents was made for, or go over to ML-Agents 1.x, which needs none.",
        versions="<=0.21",
    ),
    Entry(
        "yaml_loader", "import",
        r"load\(\) missing 1 required positional argument: 'Loader'",
        "PyYAML is too new for this ML-Agents",
        "PyYAML 6 wants to be told how a file is read, and an old ML-Agents does not say it.",
        "In the trainer's environment run: pip install \"pyyaml<6\".",
        versions="<=0.10",
    ),
    Entry(
        "dll_load", "import",
        r"DLL load failed(?! while importing (?:onnx_cpp2py_export|_C)\b)(?P<what> while importing \w+)?",
        "Windows could not load a library",
        "A DLL of a package could not be loaded{what}: the Visual C++ runtime is missing, the package is for another "
        "Python, or, with TensorFlow from 1.6 on, the processor has no AVX.",
        "Install the Visual C++ 2015-2022 redistributable, then reinstall the package in the trainer's environment.",
    ),
)  # fmt: skip
