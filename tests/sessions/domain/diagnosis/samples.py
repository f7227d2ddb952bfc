# ruff: noqa: E501
"""For each entry of the catalogue, what ML-Agents, PyTorch or Windows write when it happens."""

CONFIG = "mlagents.trainers.exception.TrainerConfigError"
TRAINER = "mlagents.trainers.exception.UnityTrainerException"
ENVS = "mlagents_envs.exception"

# The last line (or lines) of a traceback, by the id of the cause.
RAISED = {
    "protobuf_descriptors": "TypeError: Descriptors cannot be created directly.",
    "numpy_alias": "AttributeError: module 'numpy' has no attribute 'float'.",
    "numpy2_abi": "ImportError: numpy.core.multiarray failed to import",
    "cattrs_register": "TypeError: Invalid first argument to `register()`. typing.Dict[str, int] is not a class.",
    "pkg_resources_missing": "ModuleNotFoundError: No module named 'pkg_resources'",
    "distutils_missing": "ModuleNotFoundError: No module named 'distutils'",
    "attrs_key": "AttributeError: 'str' object has no attribute '_key'",
    "torch_missing": f"{ENVS}.UnityException: A compatible version of PyTorch was not installed. Please visit the site",
    "torch_dll": r"OSError: [WinError 126] The specified module could not be found. Error loading C:\v\lib\c10.dll",
    "import_error": "ModuleNotFoundError: No module named 'grpc'",
    "dll_or_cmd_missing": "FileNotFoundError: [Errno 2] No such file or directory: 'mlagents-learn'",
    "numenvs_editor": "ValueError: num_envs must be 1 if env_path is not set.",
    "numareas": "ValueError: num_areas must be set to a positive number >= 1.",
    "device_name": "RuntimeError: Expected one of cpu, cuda, ipu, xpu, mkldnn device type at start of device string: gpu",
    "config_not_found": f"{CONFIG}: Config file could not be found at C:\\proj\\ball.yaml.",
    "config_decode": f"{CONFIG}: There was an error decoding Config file from ball.yaml. Make sure",
    "config_bom": f"{CONFIG}: The option ï»¿behaviors was specified in your YAML file, but is invalid.",
    "config_yaml": f"{CONFIG}: Error parsing yaml file. Please check for formatting errors.",
    "config_tab": "yaml.scanner.ScannerError: while scanning for the next token\n"
    "found character '\\t' that cannot start any token\n  in \"ball.yaml\", line 2, column 1",
    "config_scanner": "yaml.scanner.ScannerError: mapping values are not allowed here",
    "config_empty": "TypeError: 'NoneType' object is not iterable",
    "config_old_format": f"{CONFIG}: The option default was specified in your YAML file, but is invalid.",
    "config_toplevel": f"{CONFIG}: The option Ball was specified in your YAML file, but is invalid.",
    "config_key": f"{CONFIG}: The option batchsize was specified in your YAML file for PPOSettings, but is invalid.",
    "config_value": "ValueError: invalid literal for int() with base 10: '1e4'",
    "config_enum": "ValueError: 'cosine' is not a valid ScheduleType",
    "config_trainer": f"{CONFIG}: Invalid trainer type PPO was found",
    "config_no_trainer": f"{CONFIG}: Hyperparameters were specified but no trainer_type was given.",
    "config_unsupported": f"{CONFIG}: Unsupported reward signal configuration None.",
    "config_missing_arg": "TypeError: GAILSettings.__init__() missing 1 required positional argument: 'demo_path'",
    "config_behaviors_null": "AttributeError: 'NoneType' object has no attribute 'items'",
    "config_memory": f"{CONFIG}: When using memory, memory size must be divisible by 2.",
    "config_curriculum": f"{CONFIG}: A non-terminal lesson does not have a completion_criteria for height.",
    "config_sampler": f"{CONFIG}: Minimum value is greater than maximum value in uniform sampler.",
    "run_exists": f"{TRAINER}: Previous data from this run ID was found. Either specify a new one",
    "run_missing": f"{TRAINER}: Previous data from this run ID was not found. Train a new run",
    "init_missing": f"{TRAINER}: Could not initialize from results/zzz. Make sure models have",
    "checkpoint_missing": "FileNotFoundError: [Errno 2] No such file or directory: 'results/a/Ball/checkpoint.pt'",
    "status_incompatible": "mlagents.trainers.exception.TrainerError: Metadata not found, resuming from an incompatible version",
    "status_broken": "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    "weights_only": "_pickle.UnpicklingError: Weights only load failed. This file can still be loaded",
    "results_perm": r"PermissionError: [Errno 13] Permission denied: 'results\\ball\\Ball'",
    "results_dir": "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/x'",
    "disk_full": "OSError: [Errno 28] No space left on device",
    "env_not_found": f"{ENVS}.UnityEnvironmentException: Couldn't launch the Ball environment. Provided filename does "
    "not match any environments.",
    "env_perm": f"{ENVS}.UnityEnvironmentException: Error when trying to launch environment - make sure permissions are "
    'set correctly. For example "chmod -R 755 Ball"',
    "port_in_use": f"{ENVS}.UnityWorkerInUseException: Couldn't start socket communication because worker number 0 is "
    "still in use. You may need to manually close a previously opened environment",
    "timeout": f"{ENVS}.UnityTimeOutException: The Unity environment took too long to respond. Make sure that :\n"
    "\t The environment does not need user interaction to launch",
    "api_mismatch": f"{ENVS}.UnityEnvironmentException: The communication API version is not compatible between Unity and "
    "python. Python API: 1.5.0, Unity API: 0.15.0.",
    "api_mismatch_old": f"{ENVS}.UnityEnvironmentException: The API number is not compatible between Unity and python.",
    "api_empty": "AttributeError: 'StrictVersion' object has no attribute 'version'",
    "env_exit": f"{ENVS}.UnityEnvironmentException: Environment shut down with return code -11 (SIGSEGV).",
    "env_restart_limit": "RuntimeError: no environment is left",
    "env_stuck": "TimeoutError: Workers {0} stuck in waiting state",
    "env_comm": f"{ENVS}.UnityCommunicationException: UnityEnvironment worker: recv failed.",
    "sidechannel": f"{ENVS}.UnitySideChannelException: Unknown side channel data received. Channel type : 1.",
    "behavior_missing": f"{CONFIG}: The behavior name Ball has not been specified in the trainer "
    "configuration. Please add an entry in the configuration file for Ball, or set default_settings.",
    "behavior_missing_old": f'{CONFIG}: Trainer config must have either a "default" section, or a '
    "section for the brain name (Ball). See the config/trainer_config.yaml for an example.",
    "demo_missing": "FileNotFoundError: The demonstration file or directory demos/Ball.demo does not exist.",
    "demo_other": '  File "demo_loader.py", line 60, in demo_to_buffer\n    buffer = make()\nValueError: setting an odd element',
    "demo_mismatch": "RuntimeError: The action spaces in demonstration do not match the policy's action spaces.",
    "obs_too_small": f"{TRAINER}: Visual observation resolution (8x8) is too small forthe provided",
    "no_obs": f"{TRAINER}: The trainer was unable to process any of the provided inputs.",
    "obs_shape": f"{ENVS}.UnityObservationException: Observation at index=0 for agent 1 didn't match the ObservationSpec. "
    "Got shape (7,) but expected (8,).",
    "nan_obs": "RuntimeError: The observations provided had NaN values.",
    "nan_action": "RuntimeError: Continuous NaN action detected.",
    "resume_shape_crash": "RuntimeError: The size of tensor a (8) must match the size of tensor b (10) at dimension 1",
    "slash_name": "RuntimeError: Parent directory results/a/My does not exist.",
    "zero_interval": "ZeroDivisionError: integer modulo by zero",
    "cuda_oom": "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
    "cpu_oom": "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes",
    "cuda_not_compiled": "AssertionError: Torch not compiled with CUDA enabled",
    "cuda_arch": "RuntimeError: CUDA kernel errors: no kernel image is available for execution on the device",
    "cuda_assert": "RuntimeError: CUDA error: device-side assert triggered",
    "onnxscript": "ModuleNotFoundError: No module named 'onnxscript'",
    "onnx_missing": "torch.onnx.errors.OnnxExporterError: Module onnx is not installed!",
    "onnx_other": "torch.onnx.errors.UnsupportedOperatorError: Exporting the operator 'aten::x' is not supported.",
    "double_interrupt": "KeyboardInterrupt",
    "early_interrupt": "KeyboardInterrupt",
    "generic_traceback": "KeyError: 'Ball'",
    # Beyond ML-Agents' own.
    "mlagents_missing": "ModuleNotFoundError: No module named 'mlagents'",
    "wrong_python": "TypeError: 'type' object is not subscriptable",
    "glibc": "ImportError: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by libtorch.so)",
    "memory_map": "ImportError: libtorch_cuda.so: failed to map segment from shared object",
    "shared_object": "ImportError: libgomp.so.1: cannot open shared object file: No such file or directory",
    "processor": "ImportError: dlopen(cygrpc.so, 0x2): tried: 'cygrpc.so' (mach-o file, but is an incompatible architecture",
    "protobuf_other": "ImportError: cannot import name 'builder' from 'google.protobuf.internal' (/v/google/protobuf/__init__.py)",
    "grpc_package": "ImportError: cannot import name 'cygrpc' from 'grpc._cython' (/v/grpc/_cython/__init__.py)",
    "attrs_cattrs": "ImportError: cannot import name 'resolve_types' from 'attr' (/v/attr/__init__.py)",
    "cattrs_validation": "cattrs.errors.ClassValidationError: While structuring RunOptions (1 sub-exception)",
    "packages_conflict": "pkg_resources.DistributionNotFound: The 'mlagents' distribution was not found",
    "tensorflow_version": "ModuleNotFoundError: No module named 'tensorflow.contrib'",
    "dll_load": "ImportError: DLL load failed while importing cygrpc: The specified module could not be found.",
    "env_format": "OSError: [Errno 8] Exec format error: '/builds/Ball.x86_64'",
    "action_shape": f"{ENVS}.UnityActionException: The behavior Ball needs a continuous input of dimension (1, 2)",
    "grpc_size": "grpc._channel._MultiThreadedRendezvous: StatusCode.RESOURCE_EXHAUSTED: Received message larger than max (5000000 vs. 4194304)",
    "grpc": "grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with: failed to connect",
    "env_left": f"{ENVS}.UnityCommunicatorStoppedException: Communicator has exited.",
    "locked_file": "PermissionError: [WinError 32] The process cannot access the file because it is being used by another process",
    "antivirus": "OSError: [WinError 225] Operation did not complete successfully because the file contains a virus",
    "no_permission": "PermissionError: [Errno 13] Permission denied: '/dev/nvidia0'",
    "too_many_files": "OSError: [Errno 24] Too many open files",
    "too_many_processes": "RuntimeError: can't start new thread",
    "state_dict": "RuntimeError: Error(s) in loading state_dict for SimpleActor: size mismatch for network_body",
    "cuda_number": "RuntimeError: CUDA error: invalid device ordinal",
    "cuda_checkpoint": "RuntimeError: Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False",
    "mps": "NotImplementedError: The operator 'aten::_cummax_helper' is not currently implemented for the MPS device.",
    "onnx_dll": "ImportError: DLL load failed while importing onnx_cpp2py_export: A dynamic link library (DLL) failed.",
    "mlagents_mixed": "ImportError: cannot import name 'UnityRLInput'",
    "curriculum_old": "mlagents.trainers.exception.MetaCurriculumError: One of the curricula has no corresponding Brain.",
    "default_missing": "KeyError: 'default'",
    "brain_unused": "    self._n_agents[_b] = len(s[0][_b].agents)\nKeyError: 'BallBrain'",
    "demo_first_bug": "IndexError: agent_id 0 is not present in the BatchedStepResult",
    "image_shape": f"{ENVS}.UnityObservationException: Decompressed observation did not have the expected shape - "
    "decompressed had (3, 8, 9) but expected [8, 9, 3]",
    "numpy_old": "RuntimeError: module compiled against API version 0x10 but this version of numpy is 0xe",
    "image_channels": f"{ENVS}.UnityObservationException: Compressed observation and its mapping had different number of channels"
    " - observation had 15 channels but its mapping had 24 channels",
    "two_devices": "RuntimeError: Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!",
    "encoding": "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe4 in position 3: invalid continuation byte",
}

# The same, of what is beside a trainer: installers, and programs of one's own.
BESIDE = {
    "torch_numpy": "RuntimeError: Could not infer dtype of numpy.float32",
    "yaml_loader": "TypeError: load() missing 1 required positional argument: 'Loader'",
    "replay_buffer": "OSError: Unable to open file (truncated file: eof = 96, sblock->base_addr = 0, stored_eof = 2048)",
    "network": "urllib3.exceptions.MaxRetryError: HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded with url: /",
    "network_input": "RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x44 and 30x64)",
    "tf_shape": "ValueError: Cannot feed value of shape (0,) for Tensor 'policy_1/Tanh_1:0', which has shape '(?, 39)'",
    "no_display": 'pyglet.canvas.xlib.NoSuchDisplayException: Cannot connect to "None"',
    "gym_space": "NotImplementedError: Tuple(Box(0, 255, (84, 84, 1), uint8), Box(-inf, inf, (13,))) observation space is not supported",
    "script_api": "AttributeError: 'str' object has no attribute 'behavior_specs'",
    "gym_wrapper": "mlagents_envs.envs.unity_gym_env.UnityGymException: There can only be one behavior in a UnityEnvironment",
    "gym_gymnasium": "    obs, reward, done, info = env.step(action)\nValueError: too many values to unpack (expected 4)",
    "cannot_pickle": "TypeError: cannot pickle '_thread.RLock' object",
    "main_guard": "RuntimeError:\n  An attempt has been made to start a new process before the\n"
    "  current process has finished its bootstrapping phase.",
}

# What installers and shells say without a traceback; a trainer may begin all the same.
INSTALLING = (
    ("pip_build", "error: legacy-install-failure"),
    ("pip_build", "  \u00d7 Building wheel for numpy (pyproject.toml) did not run successfully."),
    ("pip_build", "error in gym setup command: 'extras_require' must be a dictionary"),
    ("pip_no_version", "ERROR: No matching distribution found for pettingzoo==1.15.0"),
    ("wrong_python", "ERROR: Ignored the following versions that require a different python version: 1.1 Requires-Python >=3\n"
     "ERROR: No matching distribution found for pettingzoo==1.15.0"),
    ("pip_conflict", "ERROR: mlagents 0.15.1 has requirement mlagents_envs==0.15.1, but you'll have mlagents-envs 0.16.0 "
     "which is incompatible."),
    ("pip_conflict", "mlagents 0.28.0 requires cattrs<1.7,>=1.1.0, but you have cattrs 22.1.0 which is incompatible."),
    ("pip_write", "ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied: 'C:\\v\\pip.exe'"),
    ("cli_usage", "Usage:\n      learn (<env>) [options]\n      learn --help"),
    ("dll_or_cmd_missing", "mlagents-push-to-hf : The term 'mlagents-push-to-hf' is not recognized as the name of a cmdlet,"),
    ("python_missing", "'pip' is not recognized as an internal or external command,"),
    ("no_venv", ".\\venv\\Scripts\\activate : The term '.\\venv\\Scripts\\activate' is not recognized as the name of a cmdlet,"),
    ("no_venv", "bash: venv/bin/activate: No such file or directory"),
    ("pip_conflict", "ERROR: mlagents 0.9.3 has requirement mlagents-envs==0.9.3, but you'll have mlagents-envs 0.8.2 which is inc"),
    ("pip_managed", "error: externally-managed-environment"),
    ("conda_refused", "EnvironmentNameNotFound: Could not find conda environment: mlagents"),
    ("conda_refused", "ResolvePackageNotFound:\n  - python=3.10.12"),
    ("script_policy", "activate : File C:\\v\\activate.ps1 cannot be loaded because running scripts is disabled on this system."),
    ("launcher", "Fatal error in launcher: Unable to create process using '\"C:\\old\\python.exe\"'"),
    ("python_missing", "Python was not found; run without arguments to install from the Microsoft Store, or disable it"),
    ("torch_dll", "ERROR    Could not load torch: [WinError 126] Error loading C:\\v\\torch\\lib\\fbgemm.dll"),
)  # fmt: skip

# Sentences of exceptions whose names were left out.
QUOTED = (
    ("timeout", "The Unity environment took too long to respond. Make sure that :"),
    ("action_shape", "The behavior Ball?team=0 needs a continuous input of dimension (0, 2) but received input of dimension (1, 2)"),
    ("api_mismatch_old", "API number not compatible between Unity and Python. Python API : API-8, Unity API : API-6"),
    ("no_display", ": cannot connect to X server"),
    ("generic_traceback", "InvalidArgumentError (see above for traceback): Input to reshape is a tensor with 16672 values"),
    ("run_exists", "Previous data from this run ID was found. Either specify a new run ID, use --resume to resume this run"),
)  # fmt: skip

# Other words for the same.
ALSO_RAISED = (
    ("numpy_alias", "AttributeError: `np.float_` was removed in the NumPy 2.0 release. Use `np.float64` instead."),
    ("numpy2_abi", "ValueError: numpy.dtype size changed, may indicate binary incompatibility."),
    ("numpy2_abi", "RuntimeError: Numpy is not available"),
    ("torch_dll", "ImportError: DLL load failed while importing _C: The specified procedure could not be found."),
    ("shared_object", "ImportError: /v/torch/lib/libtorch_cpu.so: undefined symbol: iJIT_NotifyEvent"),
    ("glibc", "ImportError: /lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /v/grpc/cygrpc.so)"),
    ("wrong_python", "ImportError: cannot import name 'Mapping' from 'collections' (/usr/lib/python3.10/collections.py)"),
    ("attrs_cattrs", "TypeError: issubclass() arg 1 must be a class"),
    ("protobuf_other", "google.protobuf.runtime_version.VersionError: Detected incompatible Protobuf Gencode/Runtime versions"),
    ("device_name", "RuntimeError: PyTorch is not linked with support for mps devices"),
    ("config_value", "ValueError: could not convert string to float: 'many'"),
    ("weights_only", "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory"),
    ("weights_only", "zipfile.BadZipFile: File is not a zip file"),
    ("results_dir", "NotADirectoryError: [Errno 20] Not a directory: '/data/results/ball'"),
    ("results_dir", "OSError: [Errno 30] Read-only file system: '/data/results'"),
    ("results_dir", "FileNotFoundError: [WinError 206] The filename or extension is too long: 'C:\\long'"),
    ("disk_full", "OSError: [Errno 122] Disk quota exceeded"),
    ("disk_full", "RuntimeError: [enforce fail at inline_container.cc:424] . unexpected pos 704 vs 598"),
    ("env_exit", f"{ENVS}.UnityEnvironmentException: Environment shut down with return code 0."),
    ("env_format", "OSError: [WinError 193] %1 is not a valid Win32 application"),
    ("port_in_use", "RuntimeError: Failed to bind to address [::]:5005"),
    ("sidechannel", f"{ENVS}.UnityEnvironmentException: The message received by the side channel 1 was unexpectedly short."),
    ("obs_shape", f"{ENVS}.UnityObservationException: Observation at index=0 for agent with id=26 didn't match the "
     "ObservationSpec. Expected shape (8,) but got (7,)."),
    ("nan_action", "ValueError: The histogram is empty, please file a bug report."),
    ("nan_action", "ValueError: Expected parameter loc (Tensor of shape (12, 2)) of distribution Normal to satisfy the "
     "constraint Real(), but found invalid values:"),
    ("cpu_oom", "MemoryError: std::bad_alloc"),
    ("cpu_oom", "OSError: [WinError 1455] The paging file is too small for this operation to complete."),
    ("cuda_oom", "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ("cuda_not_compiled", "RuntimeError: The NVIDIA driver on your system is too old (found version 10010)."),
    ("cuda_assert", "RuntimeError: cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ("onnx_other", "ValueError: Unsupported ONNX opset version: 9"),
    ("packages_conflict", "AttributeError: 'EntryPoints' object has no attribute 'get'"),
    ("onnxscript", "torch.onnx.errors.OnnxExporterError: Module onnxscript is not installed!"),
    ("onnx_other", "RuntimeError: Unrecognized attribute: axes for operator Sum\n\n==> Context: Bad node spec for node. Name: Sum_1"),
    ("onnx_other", '  File "model_serialization.py", line 159, in export_policy_model\n    torch.onnx.export(\nTypeError: odd'),
    ("config_scanner", "yaml.parser.ParserError: while parsing a block mapping\n  in \"ball.yaml\", line 1, column 1"),
    ("curriculum_old", '  File "curriculum.py", line 36, in __init__\n    json.load(file)\njson.decoder.JSONDecodeError: Expecting value'),
    ("grpc_package", "ImportError: dlopen(/v/grpc/_cython/cygrpc.cpython-310-darwin.so, 0x0002): symbol not found in flat namespace"),
    ("mlagents_mixed", "KeyError: 'mlagents.stats_writer'"),
    ("env_perm", '  File "environment.py", line 208, in executable_launcher\n    args)\nPermissionError: [Errno 13] Permission denied: \'Ball\''),
    ("behavior_missing_old", "    trainer = self.trainers[brain_name]\nKeyError: 'Ball'"),
    ("state_dict", "tensorflow.python.framework.errors_impl.NotFoundError: Key dense/bias not found in checkpoint"),
    ("cuda_oom", "ResourceExhaustedError: OOM when allocating tensor with shape[9] on /job:x/device:GPU:0 by allocator GPU_0_bfc"),
    ("cpu_oom", "ResourceExhaustedError: OOM when allocating tensor with shape[9] on /job:x/device:CPU:0 by allocator cpu"),
    ("main_gone", "BrokenPipeError: [WinError 109] The pipe has been ended"),
    ("main_gone", '  File "connection.py", line 383, in _recv\n    raise EOFError\nEOFError'),
    (
        "env_comm",
        '  File "subprocess_env_manager.py", line 98, in recv\n    response: EnvironmentResponse = self.conn.recv()\n'
        '  File "connection.py", line 395, in _recv\n    chunk = read(handle, remaining)\n'
        "ConnectionResetError: [Errno 104] Connection reset by peer",
    ),
)  # fmt: skip

# The same of what is beside a trainer, and of excerpts.
ALSO_BESIDE = (
    ("numpy_old", "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88"),
    ("numpy2_abi", "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 88 from C header, got 96"),
    ("torch_missing", "AttributeError: module 'torch' has no attribute 'set_num_threads'"),
    ("distutils_missing", "AttributeError: module 'pkgutil' has no attribute 'ImpImporter'. Did you mean: 'zipimporter'?"),
    ("cuda_number", "RuntimeError: CUDA error (10): invalid device ordinal"),
    ("cuda_assert", "RuntimeError: cuda runtime error (59) : device-side assert triggered at /pytorch/aten/src/THC.cu:26"),
    ("results_dir", "tensorflow.python.framework.errors_impl.NotFoundError: Failed to create a directory: F:; No such file"),
    ("nan_action", "InvalidArgumentError: Nan in summary histogram for: policy"),
    ("obs_shape", "ValueError: Cannot feed value of shape (1, 8) for Tensor 'vector_observation:0', which has shape '(?, 9)'"),
    ("api_mismatch_old", "    p = self._conn.recv(self._buffer_size).decode('utf-8')\nUnicodeDecodeError: 'utf-8' codec can't decode"),
    ("env_left", "    p = self._conn.recv(self._buffer_size)\nConnectionResetError: [WinError 10054] An existing connection was closed"),
    ("curriculum_old", '  File "curriculum.py", line 33, in __init__\n    data = json.load(file)\nUnicodeDecodeError: \'utf-8\''),
    ("shell_in_python", '  File "<stdin>", line 1\n    pip3 install mlagents\n         ^\nSyntaxError: invalid syntax'),
    ("script_api", "    env = UnityToGymWrapper(unity_env, 0, uint8_visual=True)\nTypeError: __init__() got multiple values for argument"),
    ("behavior_missing_old", "    trainer = self.trainers[brain_name]\nKeyError: 'Ball'\n\nDuring handling of the above exception, "
     "another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line 1, in main"),
    ("env_not_found", f"{ENVS}.UnityEnvironmentException: Couldn't launch the obstacletower"),
    ("demo_mismatch", "RuntimeError: Class values must be non-negative."),
)  # fmt: skip

# What a shell, a library or the interpreter says: no traceback.
ENDED = (
    ("dll_or_cmd_missing", "bash: mlagents-learn: command not found"),
    ("dll_or_cmd_missing", "zsh: command not found: mlagents-learn"),
    ("dll_or_cmd_missing", '"mlagents-learn" no se reconoce como un comando interno o externo,'),
    ("dll_or_cmd_missing", "'mlagents-learn' 不是内部或外部命令"),
    ("dll_or_cmd_missing", "mlagents-learn : commande introuvable"),
    ("dll_or_cmd_missing", "sh: 1: mlagents-learn: not found"),
    ("dll_or_cmd_missing", "'mlagents-learn' is not recognized as an internal or external command,"),
    ("dll_or_cmd_missing", "mlagents-learn : The term 'mlagents-learn' is not recognized as the name of a cmdlet, function,"),
    ("mlagents_missing", "/usr/bin/python3: No module named mlagents"),
    ("wrong_python", "ERROR: Package 'mlagents' requires a different Python: 3.12.1 not in '<=3.10.12,>=3.10.1'"),
    ("killed", "Killed"),
    ("killed", "zsh: killed     mlagents-learn ball.yaml --run-id=ball"),
    ("killed", "./train.sh: line 3: 12345 Killed                  mlagents-learn ball.yaml"),
    ("segfault", "Segmentation fault (core dumped)"),
    ("segfault", "Fatal Python error: Segmentation fault"),
    ("segfault", "Windows fatal exception: access violation"),
    ("segfault", "[1]    4242 segmentation fault (core dumped)  mlagents-learn ball.yaml"),
    ("aborted", "terminate called after throwing an instance of 'c10::Error'"),
    ("aborted", "Aborted (core dumped)"),
    ("cuda_not_compiled", "terminate called after throwing an instance of 'c10::Error'\n  what():  HIP error: hipErrorNoDevice"),
    ("aborted", "Windows fatal exception: stack overflow"),
    ("openmp_twice", "OMP: Error #15: Initializing libiomp5md.dll, but found libiomp5md.dll already initialized."),
    ("illegal_instruction", "Illegal instruction (core dumped)"),
    ("illegal_instruction", "zsh: illegal hardware instruction  mlagents-learn ball.yaml"),
    ("bus_error", "Bus error (core dumped)"),
    ("arithmetic", "Floating point exception (core dumped)"),
    ("terminated", "Terminated"),
    ("hangup", "Hangup"),
    ("killed", "已杀死"),
    ("segfault", "段错误 (核心已转储)"),
    ("segfault", "Speicherzugriffsfehler (Speicherabzug geschrieben)"),
    ("aborted", "Abandon (core dumped)"),
    ("pip_build", "  ERROR: Failed building wheel for numpy"),
    ("pip_build", "ERROR: Could not build wheels for numpy, which is required to install pyproject.toml-based projects"),
    ("control_event", "forrtl: error (200): program aborting due to control-C event"),
)  # fmt: skip

# Where the console is silent.
CODES = {
    -9: "killed", 137: "killed", -11: "segfault", 139: "segfault", 0xC0000005: "segfault", -1073741819: "segfault",
    -6: "aborted", 0xC0000409: "aborted", 0xC0000374: "aborted", -4: "illegal_instruction", -7: "bus_error",
    -8: "arithmetic", -15: "terminated", 143: "terminated", -1: "hangup", 0xC0000135: "library_start",
    0xC000012D: "cpu_oom", 0xC000013A: "interrupted", -2: "interrupted", 130: "interrupted",
}  # fmt: skip

# What stands before it.
BEFORE = {
    "env_restart_limit": "[ERROR] Worker 0 exceeded the allowed number of restarts.\n",
    "double_interrupt": "[INFO] Learning was interrupted. Please wait while the graph is generated.\n",
}

# What a command line is refused with: no traceback.
REFUSED = {
    "cli_unrecognized": "usage: mlagents-learn [-h]\nmlagents-learn: error: unrecognized arguments: --nosuch",
    "cli_value": "usage: mlagents-learn [-h]\nmlagents-learn: error: argument --seed: invalid int value: 'x'",
}

# Warnings: of these a training does not end.
NOTICED = {
    "cli_removed": "[WARNING] The command line argument --torch was removed",
    "plugin_missing": "[WARNING] Unable to find any entry points for mlagents.stats_writer, even the default ones.",
    "status_missing_warn": "[WARNING] Training status file not found. Not all functions will resume properly.",
    "version_changed_warn": "[WARNING] Checkpoint was loaded from a different version of ML-Agents.",
    "env_restart": "[WARNING] Restarting worker[0] after 'Communicator has exited.'",
    "env_killed_shutdown": "[WARNING] Environment timed out shutting down. Killing...",
    "workers_no_shutdown": "[ERROR] SubprocessEnvManager had workers that didn't signal shutdown",
    "behavior_default_warn": "[WARNING] Behavior name Ball does not match any behaviors specified in the file",
    "no_behavior": "[WARNING] Trainer has no policies, not saving anything.",
    "resume_shape_warn": "[WARNING] Failed to load for module Policy. Initializing",
    "group_reward_warn": "[WARNING] An agent recieved a Group Reward, but you are not using a multi-agent trainer.",
    "teams_warn": "[WARNING] Your environment contains multiple teams, but PPOTrainer doesn't support adversarial games.",
    "logging_error": "--- Logging error ---",
}
