package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/trailship/trailship/test/standin"
)

// replaying is a world with letters in one kind of place.
type replaying struct {
	*world
	file     string
	refusing atomic.Bool
	blocked  atomic.Bool // the indices of events take nothing
	slow     atomic.Bool // bulk requests take half a second
}

// newReplaying runs a daemon until a queue is empty whose records a cluster partly refuses: every second of each object, as
// documents that do not fit; and one object that is gone. It returns how many records there are in all.
func newReplaying(t *testing.T, objects, records int, deadLetter string) (*replaying, int) {
	t.Helper()
	r := &replaying{world: newWorld(t), file: filepath.Join(t.TempDir(), "trailship.yaml")}
	r.s3.AddBucket("letters", "")
	r.refusing.Store(true)
	r.cluster.Fault = func(q *http.Request) *standin.ClusterFault {
		if r.slow.Load() && strings.HasSuffix(q.URL.Path, "_bulk") {
			return &standin.ClusterFault{Delay: time.Second / 2}
		}
		return nil
	}
	r.cluster.Item = func(index string, id, _ []byte) *standin.ItemFault {
		if r.blocked.Load() && strings.HasPrefix(index, "logs-") {
			return &standin.ItemFault{Status: 403, Type: "cluster_block_exception", Reason: "index [" + index + "] blocked by: [FORBIDDEN/8/index write (api)];"}
		}
		if r.refusing.Load() && strings.HasPrefix(index, "logs-") && (id[len(id)-1]-'0')%2 == 1 {
			return &standin.ItemFault{Status: 400, Type: "mapper_parsing_exception", Reason: "it does not fit"}
		}
		return nil
	}
	for range objects {
		r.announce(records)
	}
	gone := "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/gone.json.gz"
	r.notice(gone, 100)
	more := "\ndead_letter: " + deadLetter
	text := fmt.Sprintf("aws: {region: eu-west-1}\nsources: {sqs: [{queue_url: %q}]}\nsinks: %s\nserver: {listen: \"\"}%s\n", r.queueURL, r.elasticsearch(), more)
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := start(t, r.config(t, more))
	eventually(t, "an empty queue", func() bool { return r.left() == 0 })
	d.end(t)
	r.refusing.Store(false)
	key, id := r.announce(records) // the object that was gone is back, under its own name
	body := r.s3.Objects(bucket, key)[key]
	r.s3.Put(bucket, gone, body)
	_ = id
	return r, (objects + 1) * records
}

// events counts the documents that are no letters.
func (r *replaying) events() int { return r.cluster.Count("logs-*") }

// run runs trailship replay and returns its exit code and what it printed.
func (r *replaying) run(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	cmd := exec.Command("trailship", append([]string{"replay", "--config", r.file}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if code = cmd.ProcessState.ExitCode(); code != 0 {
		t.Log(stderr.String())
	}
	return code, stdout.String()
}

// groups are the rows of --dry-run without its head.
func (r *replaying) groups(t *testing.T) []string {
	t.Helper()
	code, out := r.run(t, "--dry-run")
	if code != 0 {
		t.Fatalf("--dry-run ends with %d", code)
	}
	rows := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	return rows[1:]
}

func TestReplay(t *testing.T) {
	inEachPlace(t, testReplay)
	t.Run("all", func(t *testing.T) {
		testReplay(t, fmt.Sprintf("{index: trailship-dead-letters, s3: s3://letters/dead, directory: %q}", t.TempDir()))
	})
}

func testReplay(t *testing.T, place string) {
	t.Helper()
	r, all := newReplaying(t, 5, 20, place)
	groups := r.groups(t)
	if len(groups) != 2 || !strings.Contains(groups[0], "mapper_parsing_exception") || !strings.HasPrefix(groups[0], "50 ") ||
		!strings.Contains(groups[1], "no_such_key") || !strings.HasPrefix(groups[1], "1 ") {
		t.Fatalf("got these groups, want 50 refused records and a lost object:\n%s", strings.Join(groups, "\n"))
	}
	before := r.events()
	if code, _ := r.run(t, "--reason", "no_such_key"); code != 0 {
		t.Errorf("replaying the lost object ends with %d", code)
	}
	if got := r.events(); got != before+20 {
		t.Errorf("%d documents, want %d more than %d: those of the object", got, 20, before)
	}
	r.refusing.Store(true)
	if code, _ := r.run(t); code != 1 || len(r.groups(t)) != 1 {
		t.Errorf("letters that are refused again: exit code %d, groups %q, want 1 and all letters", code, r.groups(t))
	}
	r.refusing.Store(false)
	for range 2 { // the second time there is nothing
		if code, out := r.run(t); code != 0 {
			t.Errorf("got exit code %d: %s", code, out)
		}
	}
	if got := r.events(); got != all || len(r.groups(t)) != 0 {
		t.Errorf("%d documents and groups %q, want %d and none", got, r.groups(t), all)
	}
}

// inEachPlace runs a test with dead letters in each kind of place: place is the section dead_letter.
func inEachPlace(t *testing.T, test func(t *testing.T, place string)) {
	t.Helper()
	t.Run("index", func(t *testing.T) { test(t, "{index: trailship-dead-letters}") })
	t.Run("s3", func(t *testing.T) { test(t, "{s3: s3://letters/dead}") })
	t.Run("directory", func(t *testing.T) { test(t, fmt.Sprintf("{directory: %q}", t.TempDir())) })
}

// TestReplay_killed kills replays until one gets to its end.
func TestReplay_killed(t *testing.T) {
	inEachPlace(t, func(t *testing.T, place string) {
		t.Helper()
		r, all := newReplaying(t, 40, 100, place)
		kills := 0
		for ended := false; !ended; {
			cmd := exec.Command("trailship", "replay", "--config", r.file)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- cmd.Wait() }()
			var kill <-chan time.Time
			if kills < 6 {
				kill = time.After(time.Duration(40+30*kills) * time.Millisecond)
			}
			select {
			case err := <-done:
				if ended = true; err != nil {
					t.Errorf("the replay ends with %v", err)
				}
			case <-kill:
				kills++
				cmd.Process.Signal(syscall.SIGKILL) //nolint:errcheck // it may have ended
				ended = <-done == nil               // it was at its end before
			}
		}
		if got := r.events(); got != all || len(r.groups(t)) != 0 {
			t.Errorf("after %d kills %d documents and groups %q, want %d and none", kills, got, r.groups(t), all)
		}
	})
}

func TestReplay_usage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trailship.yaml")
	text := "sources: {sqs: [{queue_url: https://sqs.eu-west-1.amazonaws.com/111122223333/q}]}\nsinks: {ndjson: {path: \"-\"}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"nothing", nil, "at least one of the flags in the group [config queue] is required"},
		{"no time", []string{"--config", file, "--since", "yesterday"}, "reading --since"},
		{"no glob", []string{"--config", file, "--key", "[a"}, "reading --key"},
		{"no place", []string{"--config", file}, "names no place to read from"},
		{"no such place", []string{"--config", file, "--from", "tape"}, "write index, s3 or directory"},
		{"a queue that is none", []string{"--queue", "dead"}, "is no queue"},
		{"too fast", []string{"--queue", "https://sqs.eu-west-1.amazonaws.com/1/dead", "--rate", "1000"}, "write 1 to 500"},
		{"both", []string{"--queue", "https://sqs.eu-west-1.amazonaws.com/1/dead", "--dry-run"}, "none of the others can be"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := exec.Command("trailship", append([]string{"replay"}, c.args...)...).CombinedOutput()
			var ended *exec.ExitError
			if !errors.As(err, &ended) || ended.ExitCode() != exitUsage || !strings.Contains(string(out), c.want) {
				t.Errorf("got %v and %q, want exit code 2 and %q", err, out, c.want)
			}
		})
	}
}

func TestReplay_queue(t *testing.T) {
	w := newWorld(t)
	w.sqs.AddQueue("origin", standin.QueueOptions{MaxReceive: 5, DeadLetter: "dead"})
	url := w.servers["sqs"] + w.sqs.AddQueue("dead", standin.QueueOptions{})
	for range 30 {
		w.sqs.Send("dead", standin.Notice(bucket, "k", 1))
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	out, err := exec.Command("trailship", "replay", "--queue", url, "--rate", "100").CombinedOutput()
	back, _ := w.sqs.Depth("origin")
	if err != nil || back != 30 || !strings.Contains(string(out), "replay: 30 of about 30 messages moved") {
		t.Errorf("%d messages are back, want 30; %v: %s", back, err, out)
	}
}
