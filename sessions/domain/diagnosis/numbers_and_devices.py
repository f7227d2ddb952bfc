"""Numbers that are none, memory, and what computes: what fails while it trains."""

from sessions.domain.diagnosis.entries import Entry

_EDIT = ("edit",)

NUMBERS = (
    Entry(
        "nan_obs", "training",
        r"The (?P<what>\w+) provided had (?:NaN|Infinite) values",
        "Unity sent NaN or infinity",
        "The {what} hold values that are no numbers: a division by zero, or something that grew without bound.",
        "Find it in the agent's code; clamp or normalize what is observed and rewarded. Then resume.",
        versions=">=0.15", remedies=("resume",),
    ),
    Entry(
        "nan_action", "training",
        r"NaN action detected|The histogram is empty, please file a bug report|autodetected range of \[(?:nan|-?inf)"
        r"|Expected parameter \w+ .{1,500}to satisfy the constraint|probability tensor contains either `inf`, `nan`"
        r"|Nan in summary histogram|Tensor had (?:NaN|Inf) values|The parameter \w+ has invalid values",
        "The policy produced NaN",
        "Training diverged: the learning rate is too high, or rewards or observations are very large.",
        "Lower learning_rate, set normalize: true, scale rewards to about -1 to 1, and go on from an older checkpoint: "
        "the newest one is already broken.",
        versions=">=0.22", remedies=("earlier", "edit"),
    ),
    Entry(
        "zero_interval", "training",
        r"ZeroDivisionError: integer (?:division or )?modulo by zero",
        "An interval is 0",
        "checkpoint_interval or summary_freq is 0.",
        "Write a number above 0.",
        versions=">=0.17", remedies=_EDIT,
    ),
)  # fmt: skip

DEVICES = (
    Entry(
        "cuda_oom", "training",
        r"CUDA (?:error: )?out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|MPS backend out of memory"
        r"|OOM when allocating tensor.{0,300}GPU|(?:HIP|cuda runtime error \(2\) ?:) out of memory",
        "The GPU's memory is exhausted",
        "The batch, the network or the images are too large, or other programs use the GPU.",
        "Lower batch_size, hidden_units or the size of images, or train on the CPU.",
        remedies=("cpu", "edit"),
    ),
    Entry(
        "cpu_oom", "training",
        r"DefaultCPUAllocator: (?:not enough|can't allocate) memory|MemoryError|Could not allocate bytes object"
        r"|Unable to allocate .{1,200} for an array|std::bad_alloc|Cannot allocate memory|\[WinError (?:8|14|1455)\]"
        r"|The paging file is too small|ArrayMemoryError|OOM when allocating tensor(?!.{0,300}GPU)",
        "The machine's memory is exhausted",
        "SAC with a large buffer of images, or many environments, need more than there is.",
        "Lower buffer_size, time_horizon or the number of environments.",
        remedies=("one_environment", "resume", "edit"), codes=(0xC0000017, 0xC000012D),
    ),
    Entry(
        "cuda_not_compiled", "trainer",
        r"Torch not compiled with CUDA enabled|Found no NVIDIA driver|No CUDA GPUs are available"
        r"|RuntimeError: .{0,200}(?:NVIDIA driver on your system is too old|CUDA driver version is insufficient)"
        r"|RuntimeError: Unexpected error from cudaGetDeviceCount|hipErrorNoDevice|No HIP GPUs are available"
        r"|no (?:CUDA|ROCm)-capable device is detected",
        "There is no usable GPU",
        "This PyTorch was built for the CPU or for another kind of GPU, or the machine has no driver for its GPU.",
        "Train on the CPU, or install the CUDA build of torch and the driver.",
        remedies=("cpu",),
    ),
    Entry(
        "two_devices", "training",
        r"Expected all tensors to be on the same device",
        "A part of the training is on the GPU, another on the CPU",
        "This ML-Agents leaves some numbers on the CPU, or on the first GPU, when it trains in a thread of its own or "
        "on a GPU of another number.",
        "Train on the CPU, which is as fast for small networks; or set threaded: false; or use cuda instead of cuda:1.",
        remedies=("cpu", "edit"),
    ),
    Entry(
        "cuda_arch", "trainer",
        r"no kernel image is available for execution on the device"
        r"|is not compatible with the current PyTorch installation",
        "The GPU does not fit this PyTorch",
        "The GPU is too new or too old for this build of PyTorch.",
        "Install a PyTorch that supports it, or train on the CPU.",
        remedies=("cpu",),
    ),
    Entry(
        "cuda_number", "trainer",
        r"(?:CUDA|HIP) error(?: \(\d{1,4}\))?: invalid device ordinal|Invalid device id"
        r"|device >= 0 && device < num_gpus",
        "There is no GPU of that number",
        "The device names a GPU that this machine does not have, or that CUDA_VISIBLE_DEVICES hides.",
        "Use cuda, or the number of a GPU that the machine page lists.",
        remedies=("cpu",),
    ),
    Entry(
        "cuda_checkpoint", "trainer",
        r"Attempting to deserialize object on a? ?CUDA device",
        "The checkpoint was saved on a GPU",
        "This PyTorch sees no GPU, and the checkpoint's weights are those of one.",
        "Resume on a machine with a GPU, or load and save the checkpoint once with map_location=cpu.",
    ),
    Entry(
        "mps", "training",
        r"not currently implemented for the MPS device|MPS Tensor|MPS framework doesn't support",
        "The Mac's GPU cannot do this",
        "PyTorch's device mps lacks something that ML-Agents needs.",
        "Train on the CPU, which is as fast for small networks.",
        remedies=("cpu",),
    ),
    Entry(
        "cuda_assert", "training",
        r"(?:(?:CUDA|HIP|cuDNN|CUBLAS) error(?: \(\d{1,4}\))?:|cu(?:da|blas) runtime error \(\d{1,4}\) ?:) "
        r"(?P<why>(?!out of memory).+)",
        "CUDA failed",
        "The GPU reported: {why}. NaN, or actions of the wrong size as in an old demonstration, are common reasons.",
        "Run it once on the CPU, which tells the real error.",
        remedies=("cpu",),
    ),
)  # fmt: skip
