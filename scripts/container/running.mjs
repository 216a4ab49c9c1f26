// What the kernel shows of the running daemon.

/** The running daemon, as seen from the container. */
export function lookAt({ run }) {
  const show = (property) => run(`systemctl show -P ${property} mobilenetd`);
  const pid = show('MainPID');
  const status = Object.fromEntries(
    run(`cat /proc/${pid}/status`)
      .split('\n')
      .map((line) => line.split(/:\s*/))
      .map(([key, value]) => [key, /^Cap/.test(key) ? value : (value ?? '').split(/\s+/)]),
  );
  const mounts = run(`cat /proc/${pid}/mountinfo`)
    .split('\n')
    .map((line) => line.split(' '));
  return {
    show,
    status,
    uid: run('id -u mobilenetd'),
    gid: run('id -g mobilenetd'),
    extra: ['video', 'render'].map((name) => run(`getent group ${name}`).split(':')[2]),
    nice: run(`sed 's/.*) //' /proc/${pid}/stat`).split(' ')[16],
    oomScore: run(`cat /proc/${pid}/oom_score_adj`),
    modeOf: (path) => run(`stat -c %a ${path}`),
    /** Options of the mount that a path is on, of the mount itself and of its file system. */
    mountOf(path) {
      const holds = ([, , , , point]) =>
        point === '/' || path === point || path.startsWith(`${point}/`);
      const mount = mounts
        .filter(holds)
        .sort((a, b) => a[4].length - b[4].length)
        .at(-1);
      return [...mount[5].split(','), ...mount.at(-1).split(',')];
    },
    sees: (path) =>
      run(
        `nsenter -t ${pid} -m sh -c 'if cat ${path} >/dev/null 2>&1; then echo yes; else echo no; fi'`,
      ),
    ownNamespace: (kind) =>
      run(`readlink /proc/${pid}/ns/${kind}`) !== run(`readlink /proc/1/ns/${kind}`),
  };
}
