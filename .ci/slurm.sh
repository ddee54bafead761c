#!/usr/bin/env bash
# A Slurm cluster of two nodes on this machine, for tests: slurm.sh start|stop DIR
#
# It listens on the loopback only, has its own key, and keeps everything in DIR. `start` installs
# Debian's packages where they are missing, and writes DIR/env.sh, which is to be sourced. `stop`
# ends the processes that `start` has started, and no others. Both need root.
# SLURM_TEST_PORT: the first of three ports. SLURM_TEST_CGROUPS=no: do without control groups.
set -euo pipefail

action=${1:?start or stop}
dir=$(realpath -m "${2:?a folder}")
port=${SLURM_TEST_PORT:-17300}
conf=$dir/slurm.conf
nodes=(n1 n2)

# Whether the kernel's control groups are there in the form that Debian's Slurm can use. Without
# them Slurm does not see it when a job has too much memory.
has_cgroups() {
    local controller
    [ "${SLURM_TEST_CGROUPS:-yes}" = yes ] || return 1
    for controller in memory freezer cpuset; do
        [ "$(stat -fc %T "/sys/fs/cgroup/$controller" 2>/dev/null)" = cgroupfs ] || return 1
    done
}

install_packages() {
    local packages=(slurmctld slurmd slurm-client munge)
    dpkg -s "${packages[@]}" >/dev/null 2>&1 && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${packages[@]}" >/dev/null
}

start_munge() {
    (umask 077; head -c 1024 /dev/urandom >"$dir/munge/key")
    munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
        --pid-file="$dir/munge/pid" --log-file="$dir/log/munged.log" \
        --seed-file="$dir/munge/seed" --num-threads=2
}

write_configuration() {
    local host memory track=proctrack/linuxproc task=task/none
    host=$(hostname -s)
    memory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.8 / 2) }' /proc/meminfo)
    if has_cgroups; then track=proctrack/cgroup task=task/cgroup; fi
    cat >"$conf" <<END
ClusterName=turnkeytest
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/munge/socket
SlurmctldPort=$port
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
SlurmdParameters=config_overrides
ProctrackType=$track
TaskPlugin=$task
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true
ReturnToService=2
SlurmdTimeout=15
KillWait=5
BatchStartTimeout=20
MessageTimeout=10
InactiveLimit=0
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
MaxArraySize=200
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=2 RealMemory=$memory
PartitionName=test Nodes=n[1-2] Default=YES MaxTime=120 DefaultTime=10
PartitionName=short Nodes=n[1-2] MaxTime=1
PartitionName=urgent Nodes=n[1-2] MaxTime=120 DefaultTime=10 PriorityTier=10
END
    cat >"$dir/cgroup.conf" <<END
CgroupPlugin=cgroup/v1
CgroupAutomount=no
CgroupMountpoint=/sys/fs/cgroup
ConstrainRAMSpace=yes
AllowedSwapSpace=0
END
    printf 'export SLURM_CONF=%q TURNKEY_TEST_SLURM=%q\n' "$conf" "$dir" >"$dir/env.sh"
}

start() {
    if [ -e "$dir/munge/pid" ]; then
        echo "There is a cluster in $dir already; stop it first." >&2
        return 1
    fi
    install_packages
    mkdir -p "$dir"/{log,munge,state}
    chmod 755 "$dir" "$dir/munge"
    start_munge
    write_configuration
    export SLURM_CONF=$conf
    slurmctld -f "$conf"
    for node in "${nodes[@]}"; do
        mkdir -p "$dir/spool.$node"
        slurmd -f "$conf" -N "$node"
    done
    for _ in $(seq 200); do
        [ "$(sinfo -h -N -p test -o %T 2>/dev/null | grep -c '^idle')" = "${#nodes[@]}" ] && return
        sleep 0.2
    done
    echo "The nodes do not become idle; the logs are in $dir/log." >&2
    return 1
}

# Ends the process of a pid file, if it still is the program that wrote it.
end() {
    local pid
    [ -s "$2" ] || return 0
    pid=$(cat "$2")
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || return 0
    grep -qzF -- "$dir" "/proc/$pid/cmdline" || return 0
    kill "$pid"
    for _ in $(seq 100); do
        [ -d "/proc/$pid" ] || return 0
        sleep 0.1
    done
    kill -9 "$pid"
}

stop() {
    [ -f "$conf" ] || return 0
    export SLURM_CONF=$conf
    timeout 15 scancel --user=0 2>/dev/null || true
    for _ in $(seq 50); do
        [ -z "$(timeout 15 squeue -h 2>/dev/null)" ] && break
        sleep 0.2
    done
    for node in "${nodes[@]}"; do end slurmd "$dir/slurmd.$node.pid"; done
    end slurmctld "$dir/slurmctld.pid"
    end munged "$dir/munge/pid"
    rm -f "$dir"/*.pid "$dir/munge/pid"
    for node in "${nodes[@]}"; do
        for controller in freezer memory cpuset cpuacct devices; do
            local group=/sys/fs/cgroup/$controller/slurm_$node
            if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} + || true; fi
        done
    done
}

case $action in
start) start ;;
stop) stop ;;
*) echo "slurm.sh start|stop DIR" >&2; exit 2 ;;
esac
