//go:build servers

package servers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/trailship/trailship/test/servers"
)

// testRoles makes a user for each role of deploy, sets the cluster up with one and returns a sink with the rights of the
// writer. What the writer can do is proved by the tests that use that sink.
func (r *rig) testRoles(t *testing.T) sink {
	t.Helper()
	to := sinkOf(r.cluster)
	setup, writer, replay := r.user(t, "setup"), r.user(t, "writer"), r.user(t, "replay")
	trail, err := r.aws.NewTrail(t.Context(), "roles")
	if err != nil {
		t.Fatal(err)
	}

	t.Run("the writer cannot set up", func(t *testing.T) {
		r.setUp(t, trail, to.as(writer.Username, writer.Password), 1)
	})
	t.Run("without a template the writer waits", func(t *testing.T) { r.checkWaitsForSetup(t, to.as(writer.Username, writer.Password)) })
	t.Run("the set-up role sets up", func(t *testing.T) {
		for range 2 {
			r.setUp(t, trail, to.as(setup.Username, setup.Password), 0)
		}
	})
	t.Run("each role may do its own and no more", func(t *testing.T) { r.checkRights(t, setup, writer, replay) })
	return to.as(writer.Username, writer.Password)
}

// user makes a user with a role of deploy/opensearch.
func (r *rig) user(t *testing.T, role string) *servers.Cluster {
	t.Helper()
	body, err := os.ReadFile("../../deploy/opensearch/" + role + "-role.json")
	if err != nil {
		t.Fatal(err)
	}
	const password = "quiet-Lamp-over-7-rivers"
	name := "trailship_" + role
	user := map[string]any{"password": password, "opendistro_security_roles": []string{name}}
	if err := errors.Join(
		r.cluster.Do(t.Context(), http.MethodPut, "/_plugins/_security/api/roles/"+name, string(body), nil),
		r.cluster.Do(t.Context(), http.MethodPut, "/_plugins/_security/api/internalusers/"+role, user, nil),
	); err != nil {
		t.Fatal(err)
	}
	return r.cluster.As(role, password)
}

// setUp runs trailship setup and checks its exit code.
func (r *rig) setUp(t *testing.T, trail *servers.Trail, to sink, want int) {
	t.Helper()
	path, _ := r.configure(t, trail, to, "")
	cmd := r.command(t, to, "setup", "--config", path)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("got exit code %d, want %d; it says:\n%s", got, want, out)
	}
}

// checkWaitsForSetup checks that a daemon that may only write stores nothing before the template is there, and says why.
func (r *rig) checkWaitsForSetup(t *testing.T, to sink) {
	t.Helper()
	trail := r.trail(t, "setup")
	d := r.run(t, "without-setup", trail, to, "shutdown: {timeout: 1s}")
	d.untilNotReady(t, "trailship setup")
	r.checkNothingHappened(t, trail)
	d.stop(t)
}

// untilNotReady waits until /readyz says no and why.
func (d *daemon) untilNotReady(t *testing.T, why string) {
	t.Helper()
	until(t, func(ctx context.Context) error {
		code, text, err := d.get(ctx, "/readyz")
		if err == nil && (code != http.StatusServiceUnavailable || !strings.Contains(text, why)) {
			err = fmt.Errorf("got readiness %d %q, want 503 with %q", code, text, why)
		}
		return err
	})
}

// checkNothingHappened checks that no document is stored and no message gone.
func (r *rig) checkNothingHappened(t *testing.T, trail *servers.Trail) {
	t.Helper()
	if got := r.stored(t); got != 0 {
		t.Errorf("got %d documents, want none", got)
	}
	if got, err := trail.Messages(t.Context()); err != nil || got < len(r.samples.files) {
		t.Errorf("got %d messages in the queue (%v), want all %d", got, err, len(r.samples.files))
	}
}

// testWrongPassword runs a daemon with a password that is wrong, then one with the right one.
func (r *rig) testWrongPassword(t *testing.T, to sink) {
	t.Helper()
	trail := r.trail(t, "password")
	t.Run("with a wrong password nothing is lost and readiness says what to do", func(t *testing.T) {
		d := r.run(t, "wrong-password", trail, to.as(to.username, "wrong"), "shutdown: {timeout: 1s}")
		d.untilNotReady(t, "check the sink's")
		r.checkNothingHappened(t, trail)
		if code, text, err := d.get(t.Context(), "/healthz"); err != nil || code != http.StatusOK {
			t.Errorf("got liveness %d %s %v, want 200: a restart does not help", code, text, err)
		}
		d.stop(t)
	})
	t.Run("with the right one everything arrives", func(t *testing.T) {
		d := r.run(t, "right-password", trail, to, "")
		untilEmpty(t, trail)
		r.checkAllOnce(t)
		d.stop(t)
	})
	r.forget(t)
}

// checkRights tries what each role must be able to do and what it must not.
func (r *rig) checkRights(t *testing.T, setup, writer, replay *servers.Cluster) {
	t.Helper()
	const (
		index   = "logs-aws.cloudtrail-trailship-2000.01.01"
		letters = "trailship-dead-letters"
	)
	bulk := func(action, index, id, doc string) string {
		return fmt.Sprintf("{%q:{\"_index\":%q,\"_id\":%q}}\n%s", action, index, id, doc)
	}
	tests := []struct {
		name    string
		as      *servers.Cluster
		method  string
		path    string
		body    string
		allowed bool
	}{
		{"writer makes an index", writer, "PUT", "/" + index, "", true},
		{"writer creates a document", writer, "POST", "/_bulk", bulk("create", index, "1", "{}\n"), true},
		{"writer makes the index of dead letters", writer, "PUT", "/" + letters, "", true},
		{"writer creates a dead letter", writer, "POST", "/_bulk", bulk("create", letters, "1", `{"type":"t"}`+"\n"), true},
		{"writer makes another index", writer, "PUT", "/other", "", false},
		{"writer creates a document elsewhere", writer, "POST", "/_bulk", bulk("create", "other", "1", "{}\n"), false},
		{"writer reads a document", writer, "GET", "/" + index + "/_doc/1", "", false},
		{"writer searches", writer, "POST", "/" + index + "/_search", "{}", false},
		{"writer searches dead letters", writer, "POST", "/" + letters + "/_search", "{}", false},
		{"writer deletes a document", writer, "POST", "/_bulk", bulk("delete", index, "1", ""), false},
		{"writer updates a document", writer, "POST", "/_bulk", bulk("update", index, "1", `{"doc":{}}`+"\n"), false},
		{"writer deletes an index", writer, "DELETE", "/" + index, "", false},
		{"writer changes a mapping", writer, "PUT", "/" + index + "/_mapping", `{"properties":{"x":{"type":"keyword"}}}`, false},
		{"writer closes an index", writer, "POST", "/" + index + "/_close", "", false},
		{"writer installs a template", writer, "PUT", "/_index_template/x", `{"index_patterns":["x"]}`, false},
		{"writer makes a user", writer, "PUT", "/_plugins/_security/api/internalusers/x", `{"password":"another-Lamp-9-rivers"}`, false},

		{"set-up changes a mapping", setup, "PUT", "/" + index + "/_mapping", `{"properties":{"x":{"type":"keyword"}}}`, true},
		{"set-up installs a template", setup, "PUT", "/_index_template/x", `{"index_patterns":["x"]}`, true},
		{"set-up deletes a template", setup, "DELETE", "/_index_template/x", "", false},
		{"set-up creates a document", setup, "POST", "/" + index + "/_bulk", bulk("create", index, "2", "{}\n"), false},
		{"set-up searches", setup, "POST", "/" + index + "/_search", "{}", false},
		{"set-up deletes an index", setup, "DELETE", "/" + index, "", false},

		{"replay searches dead letters", replay, "POST", "/" + letters + "/_search", "{}", true},
		{"replay deletes a dead letter", replay, "POST", "/_bulk", bulk("delete", letters, "1", ""), true},
		{"replay creates a dead letter", replay, "POST", "/_bulk", bulk("create", letters, "2", "{}\n"), false},
		{"replay searches events", replay, "POST", "/" + index + "/_search", "{}", false},
		{"replay deletes the index", replay, "DELETE", "/" + letters, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, said := ask(t, tt.as, tt.method, tt.path, tt.body)
			if got := status < http.StatusBadRequest; got != tt.allowed || !got && status != http.StatusForbidden {
				t.Errorf("got %d, want allowed %t; it says %s", status, tt.allowed, said)
			}
		})
	}
	for _, name := range []string{index, letters} {
		if err := r.cluster.Do(t.Context(), http.MethodDelete, "/"+name, nil, nil); err != nil {
			t.Error(err)
		}
	}
}

// ask returns the status of the answer to a request, or of its first item where it is a bulk request, and the answer.
func ask(t *testing.T, as *servers.Cluster, method, path, body string) (status int, said string) {
	t.Helper()
	var answer json.RawMessage
	err := as.Do(t.Context(), method, path, body, &answer)
	var refused *servers.StatusError
	switch {
	case errors.As(err, &refused):
		return refused.Status, refused.Body
	case err != nil:
		t.Fatal(err)
	}
	var bulk struct {
		Items []map[string]struct{ Status int }
	}
	if json.Unmarshal(answer, &bulk) == nil && len(bulk.Items) > 0 {
		for _, item := range bulk.Items[0] {
			return item.Status, string(answer)
		}
	}
	return http.StatusOK, string(answer)
}
