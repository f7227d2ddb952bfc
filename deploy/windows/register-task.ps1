<#
.SYNOPSIS
    Starts MENTOR when you log on, or in the background whether or not anybody is logged on.

.DESCRIPTION
    Registers a task of the Task Scheduler that runs `manage.py up --no-browser`. Run it once, in PowerShell, in the
    folder of the project:

        powershell -ExecutionPolicy Bypass -File deploy\windows\register-task.ps1
        powershell -ExecutionPolicy Bypass -File deploy\windows\register-task.ps1 -Background   (as administrator)

    Without -Background MENTOR runs in your desktop session: Unity can open windows, and everything ends when you log
    off, for Windows ends every process of a session. With -Background it runs in session 0 without a desktop and
    outlives logoff; there environments need --no-graphics, and drives that you have connected are not there.

    Take it away again:  Unregister-ScheduledTask -TaskName MENTOR
#>
param(
    [string] $Project = (Resolve-Path "$PSScriptRoot\..\..").Path,
    [string] $Python = "$((Resolve-Path "$PSScriptRoot\..\..").Path)\.venv\Scripts\python.exe",
    [switch] $Background
)

$ErrorActionPreference = "Stop"
if (-not (Test-Path $Python)) {
    throw "There is no Python at $Python. Name it with -Python."
}

$user = [System.Security.Principal.WindowsIdentity]::GetCurrent().Name
$action = New-ScheduledTaskAction -Execute $Python -Argument "`"$Project\manage.py`" up --no-browser" -WorkingDirectory $Project
if ($Background) {
    $trigger = New-ScheduledTaskTrigger -AtStartup
    $principal = New-ScheduledTaskPrincipal -UserId $user -LogonType S4U -RunLevel Limited
} else {
    $trigger = New-ScheduledTaskTrigger -AtLogOn -User $user
    $principal = New-ScheduledTaskPrincipal -UserId $user -LogonType Interactive -RunLevel Limited
}
# By default a task ends after three days and on battery, and runs with low priority, which trainings would inherit.
$settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit ([TimeSpan]::Zero) -MultipleInstances IgnoreNew `
    -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -RestartCount 10 -RestartInterval (New-TimeSpan -Minutes 1) -Priority 5

Register-ScheduledTask -TaskName "MENTOR" -Action $action -Trigger $trigger -Principal $principal -Settings $settings -Force | Out-Null
Start-ScheduledTask -TaskName "MENTOR"
Write-Host "MENTOR starts by itself from now on. Sign in:  & `"$Python`" `"$Project\manage.py`" link"
