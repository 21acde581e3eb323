//go:build servers

package servers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/trailship/trailship/test/servers"
)

// testReplay sends the dead letters of an index again, once what they did not fit is gone: each becomes a document, and no
// letter is left.
func (r *rig) testReplay(t *testing.T, trail *servers.Trail, to sink, letters int) {
	t.Helper()
	path, _ := r.configure(t, trail, to, "")
	replay := func(args ...string) string {
		cmd := r.command(t, to, append([]string{"replay", "--config", path}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("replaying: %v\n%s", err, out)
		}
		return string(out)
	}
	if out := replay("--dry-run"); !strings.Contains(out, "index "+deadLetters) {
		t.Errorf("--dry-run names no group:\n%s", out)
	}
	r.forget(t)
	said := replay()
	r.must(t, http.MethodPost, "/"+deadLetters+"/_refresh", nil)
	var left struct{ Count int }
	if err := r.cluster.Do(t.Context(), http.MethodGet, "/"+deadLetters+"/_count", nil, &left); err != nil {
		t.Fatal(err)
	}
	if got := r.stored(t); got != letters || left.Count != 0 {
		t.Errorf("got %d documents and %d letters left, want %d and none; it says:\n%s", got, left.Count, letters, said)
	}
}
