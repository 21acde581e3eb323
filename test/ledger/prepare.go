package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// cannot says why the row cannot be played on this machine, "" when it can.
func (r *row) cannot() string {
	if !r.more.names {
		return ""
	}
	if os.Getuid() != 0 {
		return "only root can give a process a resolv.conf of its own"
	}
	if err := exec.Command("unshare", "-m", "true").Run(); err != nil { //nolint:noctx // it does nothing
		return fmt.Sprintf("unshare -m: %v", err)
	}
	return ""
}

// prepare makes what the row's daemons need beside the stand-in.
func (st *stage) prepare(context.Context) error {
	if !st.row.more.names {
		return nil
	}
	// A mount namespace of its own, in which the stand-in is the one DNS server.
	file := filepath.Join(st.dir, "resolv.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, "nameserver %s\noptions timeout:1 attempts:2\n", st.at.Names), 0o644); err != nil {
		return err
	}
	st.prefix = []string{"unshare", "-m", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && exec "$@"`, file}
	return nil
}
