package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// begin starts trailship replay, and returns what it prints as it goes on.
func (r *replaying) begin(t *testing.T, args ...string) (cmd *exec.Cmd, said *lines) {
	t.Helper()
	cmd, said = exec.Command("trailship", append([]string{"replay", "--config", r.file}, args...)...), &lines{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it has ended, or will now
		cmd.Wait()         //nolint:errcheck // a second wait is an error
		if t.Failed() {
			t.Log(said.String())
		}
	})
	return cmd, said
}

// TestReplay_chosen: only the letters of the given reason, time and key are sent and removed.
func TestReplay_chosen(t *testing.T) {
	inEachPlace(t, func(t *testing.T, place string) {
		t.Helper()
		r, _ := newReplaying(t, 5, 20, place)
		before := r.events()
		for _, none := range [][]string{
			{"--until", "1h"},
			{"--until", time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)},
			{"--since", time.Now().UTC().Add(time.Hour).Format(time.RFC3339)},
			{"--reason", "index_blocked"},
			{"--key", "another-bucket/**"},
			{"--key", "**/us-west-2/**"},
		} {
			if code, out := r.run(t, none...); code != 0 || r.events() != before {
				t.Errorf("%q: got exit code %d, %d documents more and %s, want none", none, code, r.events()-before, out)
			}
		}
		if code, out := r.run(t, "--key", bucket+"/**/2026/11/20/*_000002.json.gz", "--since", "1h", "--reason", "mapper_parsing_exception"); code != 0 || r.events() != before+10 {
			t.Errorf("one object's letters: got exit code %d, %d documents more and %s, want 10", code, r.events()-before, out)
		}
		if groups := r.groups(t); len(groups) != 2 || !strings.HasPrefix(groups[0], "40 ") {
			t.Errorf("got these letters left, want 40 and a lost object: %q", groups)
		}
	})
}

// TestReplay_signal: SIGINT in the middle ends it soon, with 1 and with what to do; run again it does the rest.
func TestReplay_signal(t *testing.T) {
	r, all := newReplaying(t, 40, 100, "{index: trailship-dead-letters}")
	r.slow.Store(true)
	before := r.events()
	cmd, said := r.begin(t)
	eventually(t, "progress", func() bool { return strings.Contains(said.String(), "sent and removed") })
	start := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitWork || !strings.Contains(said.String(), "run it again for the rest") || time.Since(start) > 30*time.Second {
		t.Errorf("ended after %v with %v and %d, want 1 soon, and what to do", time.Since(start), err, code)
	}
	if got := r.events(); got <= before || got >= all {
		t.Logf("%d of %d documents were there before and %d are now: it was not in the middle", before, all, got)
	}
	r.slow.Store(false)
	if code, out := r.run(t); code != 0 || r.events() != all || len(r.groups(t)) != 0 {
		t.Errorf("run again: got exit code %d, %d documents, letters %q and %s, want 0, %d and none", code, r.events(), r.groups(t), out, all)
	}
}

// TestReplay_blocked: letters of an index that took nothing are looked at first. Replayed too early they wait, and it is said
// for what; they go through when the index takes documents again.
func TestReplay_blocked(t *testing.T) {
	dir := t.TempDir()
	r, all := newReplaying(t, 2, 20, fmt.Sprintf("{directory: %q}", dir))
	if code, _ := r.run(t, "--reason", "no_such_key"); code != 0 {
		t.Fatalf("replaying the lost object ends with %d", code)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte(`"type":"mapper_parsing_exception"`), []byte(`"type":"index_blocked"`))
		if err = os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out := r.run(t, "--dry-run", "--reason", "index_blocked")
	if code != 0 || !strings.Contains(out, "20") || !strings.Contains(out, "index_blocked") || !strings.Contains(out, "logs-aws.cloudtrail") {
		t.Errorf("--dry-run: got exit code %d and %s, want 20 letters of index_blocked and their index", code, out)
	}
	r.blocked.Store(true)
	cmd, said := r.begin(t, "--reason", "index_blocked")
	eventually(t, "that it waits", func() bool { return strings.Contains(said.String(), "waiting for the sink: index logs-") })
	r.blocked.Store(false)
	if err := cmd.Wait(); err != nil || r.events() != all || len(r.groups(t)) != 0 {
		t.Errorf("got %v, %d documents and letters %q, want %d and none", err, r.events(), r.groups(t), all)
	}
}
