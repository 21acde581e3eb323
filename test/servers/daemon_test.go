//go:build servers

package servers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/trailship/trailship/test/servers"
	"github.com/trailship/trailship/test/standin"
)

// patience is how long anything may take that a daemon does. A message whose holder was killed comes back after half a
// minute.
const patience = 5 * time.Minute

// A sink is the section sinks of a configuration.
type sink struct {
	kind, url, caFile, username, password string
}

// sinkOf is a sink with the rights of the cluster's own account.
func sinkOf(c *servers.Cluster) sink {
	kind := "opensearch"
	if c.Name == "elasticsearch" {
		kind = "elasticsearch"
	}
	return sink{kind: kind, url: c.URL, caFile: c.CAFile, username: c.Username, password: c.Password}
}

// as is the same sink for another account.
func (s sink) as(username, password string) sink {
	s.username, s.password = username, password
	return s
}

// at is the same sink at another address.
func (s sink) at(url string) sink {
	s.url = url
	return s
}

// configure writes a configuration and returns its path and the address of its server.
func (r *rig) configure(t *testing.T, trail *servers.Trail, to sink, more string) (path, admin string) {
	t.Helper()
	admin, err := standin.QuietAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "trailship.yaml")
	text := fmt.Sprintf(`
sources:
  sqs:
    - {queue_url: %q, visibility_timeout: 30s}
sinks:
  %s: {urls: [%q], username: %q, password: "${SINK_PASSWORD}", ca_file: %q}
server: {listen: %q}
%s
`, trail.QueueURL, to.kind, to.url, to.username, to.caFile, admin, more)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, admin
}

// command is the program with arguments, in an environment with the test's AWS and the sink's password.
func (r *rig) command(t *testing.T, to sink, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), r.binary, args...)
	cmd.Env = append(append(os.Environ(), r.aws.Environ()...), "SINK_PASSWORD="+to.password)
	return cmd
}

// A daemon is a running trailship.
type daemon struct {
	*servers.Process
	admin string
}

// run starts a daemon under a name of its own, by which its log is found. more is added to its configuration.
func (r *rig) run(t *testing.T, name string, trail *servers.Trail, to sink, more string) *daemon {
	t.Helper()
	path, admin := r.configure(t, trail, to, more)
	return &daemon{Process: servers.Start(t, r.logs, name, r.command(t, to, "run", "--config", path)), admin: admin}
}

// get asks the daemon's server for a page.
func (d *daemon) get(ctx context.Context, page string) (code int, text string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.admin+page, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// records are the daemon's counts: read, in_flight and by outcome.
func (d *daemon) records(t *testing.T) map[string]int {
	t.Helper()
	_, text, err := d.get(t.Context(), "/status")
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Records map[string]int }
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		t.Fatal(err)
	}
	return status.Records
}

// until waits until check returns nil.
func until(t *testing.T, check func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := servers.Until(ctx, func() error { return check(ctx) }, nil); err != nil {
		t.Fatal(err)
	}
}

// untilEmpty waits until the queue has no message left, visible or not. It looks twice: moto counts the visible ones first
// and then the others, and misses one that becomes visible in between.
func untilEmpty(t *testing.T, trail *servers.Trail) {
	t.Helper()
	until(t, func(ctx context.Context) error {
		for range 2 {
			n, err := trail.Messages(ctx)
			if err == nil && n > 0 {
				err = fmt.Errorf("%d messages are left in the queue", n)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// stop stops the daemon as an operator would and checks that it ends well.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := d.ExitCode(); got != 0 {
		t.Errorf("got exit code %d, want 0; see %s", got, d.Log())
	}
}
