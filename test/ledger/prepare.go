package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

// cannot says why the row cannot be played on this machine, "" when it can.
func (r *row) cannot() string {
	if r.more.clock && (runtime.GOOS != "linux" || runtime.GOARCH != "amd64") {
		return "the clock can be stepped on linux/amd64 only"
	}
	if !r.more.names && r.more.disk == "" {
		return ""
	}
	if os.Getuid() != 0 {
		return "only root can give a process mounts of its own"
	}
	if err := exec.Command("unshare", "-m", "true").Run(); err != nil { //nolint:noctx // it does nothing
		return fmt.Sprintf("unshare -m: %v", err)
	}
	return ""
}

// prepare makes what the row's daemons need beside the stand-in.
func (st *stage) prepare() (err error) {
	switch more := st.row.more; {
	case more.clock:
		st.binary = st.stepped
	case more.names:
		// The stand-in is the one DNS server in the daemon's mount namespace.
		file := filepath.Join(st.dir, "resolv.conf")
		err = os.WriteFile(file, fmt.Appendf(nil, "nameserver %s\noptions timeout:1 attempts:2\n", st.at.Names), 0o644)
		st.prefix = []string{"unshare", "-m", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && exec "$@"`, file}
	case more.disk != "":
		err = os.MkdirAll(st.disk(), 0o755)
		st.prefix = []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=` + more.disk + ` ledger "$0" && exec "$@"`, st.disk()}
	}
	return err
}

// disk is where the dead letters go in a row that has a disk for them.
func (st *stage) disk() string { return filepath.Join(st.dir, "dead-letters") }

// showDisk tells the stand-in where to see the daemon's disk.
func (st *stage) showDisk(ctx context.Context, d *daemon) error {
	return st.ask(ctx, "/disk?path="+url.QueryEscape("/proc/"+strconv.Itoa(d.cmd.Process.Pid)+"/root"+st.disk()), nil)
}

// growDisk makes the daemon's disk larger when kindFull is over, and was seen.
func (st *stage) growDisk(ctx context.Context, d *daemon) error {
	var now tally
	end := time.Now().Add(time.Minute)
	for wait := firstDelay; now.Faults[kindFull] == 0 && time.Now().Before(end); wait = pollEvery {
		if pause(ctx, wait) != nil || st.ask(ctx, "/tally", &now) != nil {
			return nil //nolint:nilerr // the row is over
		}
	}
	pid := strconv.Itoa(d.cmd.Process.Pid)
	out, err := exec.CommandContext(ctx, "nsenter", "-t", pid, "-m", "mount", "-o", "remount,size=64m", st.disk()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("enlarging the disk: %w: %s", err, out)
	}
	return nil
}
