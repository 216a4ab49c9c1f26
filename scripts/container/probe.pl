#!/usr/bin/perl
# Tries what a service may be forbidden, each in a process of its own, and prints `<action> ok` or
# `<action> <why not>`: perl probe.pl ACTION[:ARGUMENT]… System call numbers are those of x86-64.
use strict;
use warnings;

my %SYSCALL = (
    shmget      => 29,
    ptrace      => 101,
    syslog      => 103,
    personality => 135,
    setsched    => 144,
    adjtimex    => 159,
    chroot      => 161,
    sethostname => 170,
    unshare     => 272,
    pkey_alloc  => 330,
);
my ($EPERM, $CLONE_NEWUTS, $PER_LINUX32, $SCHED_FIFO, $IPC_CREAT) = (1, 0x04000000, 8, 1, 01000);
my $NOBODY = 65534;

my %try = (
    # Files
    read    => sub { my $file; open($file, '<', $_[0]) && defined readline $file },
    write   => sub { my $name = "$_[0]/probe-$$"; open(my $file, '>', $name) && unlink $name },
    rewrite => sub { open(my $file, '+<', $_[0]) },
    exists  => sub { -e $_[0] },
    shared  => sub { scratch(sub { (stat $_[0])[2] & 077 }) },
    chown   => sub { scratch(sub { chown 1, 1, $_[0] }) },
    setuid  => sub { scratch(sub { chmod(04755, $_[0]) && (stat $_[0])[2] & 04000 }) },
    # Processes
    become_root => sub { become_nobody(); qx($_[0] -u) =~ /^0$/ },
    foreign     => sub { become_nobody(); -d "/proc/$_[0]" },
    runs        => sub { system($_[0]); $? >> 8 == 42 },
    cgroup      => sub { my $name = own_cgroup() . "/probe-$$"; mkdir($name) && rmdir($name) },
    namespace   => sub { readlink("/proc/self/ns/$_[0]") =~ /\[$_[1]\]/ },
    unshare     => sub { call('unshare', $CLONE_NEWUTS) == 0 },
    realtime    => sub { call('setsched', 0, $SCHED_FIFO, pack('i', 1)) == 0 },
    personality => sub { call('personality', $PER_LINUX32) >= 0 },
    trace       => sub { call('ptrace', 0, 0, 0, 0) == 0 },
    chroot      => sub { call('chroot', '/') == 0 },
    pkey        => sub { call('pkey_alloc', 0, 0) >= 0 || $! != $EPERM },
    memory      => sub { call('shmget', 0 + $_[0], 4096, $IPC_CREAT | 0600) >= 0 },
    # The kernel
    log      => sub { call('syslog', 10, 0, 0) >= 0 },
    clock    => sub { call('adjtimex', "\0" x 256) >= 0 },
    hostname => sub { my $name = 'board'; call('sethostname', $name, length $name) == 0 },
    socket   => sub { socket(my $socket, $_[0], $_[1], 0) },
);

for my $asked (@ARGV) {
    my ($action, @arguments) = split /:/, $asked;
    my $child = fork // die "fork: $!";
    if ($child == 0) {
        $! = 0;
        my $done = $try{$action}->(@arguments);
        exit($done ? 0 : $! + 0 || 255);
    }
    waitpid $child, 0;
    my ($status, $signal) = ($? >> 8, $? & 127);
    my $why = $signal ? "signal $signal" : $status == 255 ? 'no' : do { local $! = $status; "$!" };
    print "$asked ", $? == 0 ? 'ok' : $why, "\n";
}

sub call { my ($name, @arguments) = @_; return syscall($SYSCALL{$name}, @arguments) }

sub scratch {
    my ($use) = @_;
    my $name = "/tmp/probe-$$";
    open(my $file, '>', $name) || return 0;
    my $done = $use->($name);
    my $why  = $! + 0;
    unlink $name;
    $! = $why;
    return $done;
}

# Where systemd has put this process: the unified hierarchy, or its own beside the older ones.
sub own_cgroup {
    open(my $file, '<', '/proc/self/cgroup') || die "cgroup: $!";
    my %path = map { /^\d+:([^:]*):(.*)$/ ? ($1 => $2) : () } <$file>;
    my $named = $path{'name=systemd'};
    return defined $named ? "/sys/fs/cgroup/systemd$named" : "/sys/fs/cgroup$path{''}";
}

sub become_nobody {
    $) = "$NOBODY $NOBODY";
    $( = $NOBODY;
    ($<, $>) = ($NOBODY, $NOBODY);
    $! = 0;
    return;
}
