package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/test/standin"
)

// process is the real program, started by TestMain's way of being it.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr lines
	address        string // of the admin server
}

// launch writes a configuration for w and runs the daemon with it. sink is the section sinks.
func launch(t *testing.T, w *world, sink, more string) *process {
	t.Helper()
	p := &process{address: freeAddress(t)}
	file := filepath.Join(t.TempDir(), "trailship.yaml")
	text := fmt.Sprintf("aws: {region: eu-west-1}\nsources: {sqs: [{queue_url: %q, visibility_timeout: 30s}]}\nsinks: %s\nserver: {listen: %q}\n",
		w.queueURL, sink, p.address) + more
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command("trailship", "run", "--config", file)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Kill() //nolint:errcheck // it has ended, or will now
		p.cmd.Wait()         //nolint:errcheck // a second wait is an error
		if t.Failed() {
			t.Log(p.stderr.String())
		}
	})
	return p
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// code waits for the end and returns the exit code, -1 for one that was killed.
func (p *process) code(t *testing.T) int {
	t.Helper()
	err := p.cmd.Wait()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (w *world) elasticsearch() string {
	return fmt.Sprintf("{elasticsearch: {urls: [%q]}}", w.servers["cluster"])
}

// kill -9 in the middle: what was deleted from the queue is in the cluster, and a new daemon that gets every notice again
// stores the rest and doubles nothing.
func TestProcess_kill(t *testing.T) {
	w := newWorld(t)
	const objects, records = 100, 20
	w.cluster.Fault = func(*http.Request) *standin.ClusterFault { return &standin.ClusterFault{Delay: 10 * time.Millisecond} }
	keys, ids := make([]string, objects), make([]string, objects)
	for i := range keys {
		keys[i], ids[i] = w.announce(records)
	}
	p := launch(t, w, w.elasticsearch(), "limits: {in_flight: 16}\n")
	eventually(t, "some messages deleted", func() bool { return len(w.sqs.Deleted(queue)) > 10 })
	p.signal(t, syscall.SIGKILL)
	if got := p.code(t); got != -1 {
		t.Errorf("exit code: got %d, want that it was killed", got)
	}
	docs, deleted := w.cluster.Docs(), w.sqs.Deleted(queue)
	if len(deleted) == objects {
		t.Log("it was too quick to be killed in the middle")
	}
	for i, id := range ids {
		for record := range records {
			if name := fmt.Sprintf("%06d-%06d", i+1, record); slices.Contains(deleted, id) && docs[name] == nil {
				t.Errorf("%s was deleted, but event %s is not in the cluster", id, name)
			}
		}
	}
	for _, key := range keys {
		w.notice(key, 1000)
	}
	p = launch(t, w, w.elasticsearch(), "")
	eventually(t, "every document", func() bool { return w.cluster.Count() >= objects*records })
	p.signal(t, syscall.SIGTERM)
	if got := p.code(t); got != exitOK {
		t.Errorf("exit code: got %d, want %d", got, exitOK)
	}
	if got, want := len(w.cluster.Docs()), objects*records; got != want || w.cluster.Count() != want {
		t.Errorf("documents: got %d, %d different ones, want %d", w.cluster.Count(), got, want)
	}
}

// The set-up installs the templates and ends.
func TestProcess_setup(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "trailship.yaml")
	text := fmt.Sprintf("sources: {sqs: [{queue_url: %q}]}\nsinks: %s\n", w.queueURL, w.elasticsearch())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to do
		if out, err := exec.CommandContext(t.Context(), "trailship", "setup", "--config", file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for _, name := range []string{"trailship-cloudtrail", "trailship-dead-letters"} {
		if w.cluster.Template(name) == nil {
			t.Errorf("the template %s is not installed", name)
		}
	}
}

// A second SIGTERM ends a drain at once.
func TestProcess_secondSignal(t *testing.T) {
	w := newWorld(t)
	var writing atomic.Bool
	w.cluster.Fault = func(r *http.Request) *standin.ClusterFault {
		if !strings.Contains(r.URL.Path, "_bulk") {
			return nil
		}
		writing.Store(true)
		return &standin.ClusterFault{Delay: 20 * time.Second} // longer than the test waits for the second signal
	}
	w.announce(5)
	p := launch(t, w, w.elasticsearch(), "")
	eventually(t, "a message in hand", writing.Load)
	p.signal(t, syscall.SIGTERM)
	eventually(t, "the drain", func() bool { return strings.Contains(p.stderr.String(), "a second signal ends at once") })
	p.signal(t, syscall.SIGTERM)
	if got := p.code(t); got != 143 {
		t.Errorf("exit code: got %d, want 143", got)
	}
	if w.left() != 1 {
		t.Error("the message is lost")
	}
}

// A cluster that is away at the start is waited for: readiness says what to do, liveness is well, and nothing is lost.
func TestProcess_clusterAway(t *testing.T) {
	w := newWorld(t)
	var away atomic.Bool
	away.Store(true)
	w.cluster.Fault = func(*http.Request) *standin.ClusterFault {
		if away.Load() {
			return &standin.ClusterFault{Status: http.StatusServiceUnavailable}
		}
		return nil
	}
	w.announce(5)
	p := launch(t, w, w.elasticsearch(), "")
	health := func(arg ...string) (string, int) {
		out, err := exec.CommandContext(t.Context(), "trailship", append([]string{"health", "--url", "http://" + p.address}, arg...)...).CombinedOutput()
		if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
			return string(out), ended.ExitCode()
		}
		return string(out), 0
	}
	eventually(t, "that it is not ready", func() bool {
		text, code := health("--ready")
		return code == exitWork && strings.Contains(text, "sink: ")
	})
	if text, code := health(); code != exitOK || text != "ok\n" {
		t.Errorf("liveness: got %q and exit code %d", text, code)
	}
	away.Store(false)
	eventually(t, "an empty queue", func() bool { return w.left() == 0 })
	eventually(t, "that it is ready", func() bool { _, code := health("--ready"); return code == exitOK })
	if w.cluster.Count() != 5 {
		t.Errorf("documents: got %d, want 5", w.cluster.Count())
	}
	p.signal(t, syscall.SIGTERM)
	if got := p.code(t); got != exitOK {
		t.Errorf("exit code: got %d, want %d", got, exitOK)
	}
}

// No secret of the configuration or the environment is in anything that the program writes or answers.
func TestProcess_secrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("PLANTED-in-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CLUSTER_KEY", "PLANTED-in-the-environment")
	cases := []struct {
		name, sink string
		status     int // of the cluster; 0: it works
	}{
		{"key", "{elasticsearch: {urls: ['%s'], api_key: PLANTED-key}}", 0},
		{"refused key from the environment", "{elasticsearch: {urls: ['%s'], api_key: '${CLUSTER_KEY}'}}", 401},
		{"password", "{elasticsearch: {urls: ['%s'], username: me, password: PLANTED-password}}", 401},
		{"password in a file", "{opensearch: {urls: ['%s'], username: me, password_file: " + file + "}}", 403},
		{"user in the url", "{elasticsearch: {urls: ['%u']}}", 401},
		{"user in the url of opensearch", "{opensearch: {urls: ['%u']}}", 500},
		{"nobody there", "{elasticsearch: {urls: ['http://PLANTED-user:PLANTED-pass@127.0.0.1:1']}}", 0},
		{"nobody there either", "{opensearch: {urls: ['http://PLANTED-user:PLANTED-pass@127.0.0.1:1']}}", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			t.Setenv("AWS_SECRET_ACCESS_KEY", "PLANTED-aws-secret")
			t.Setenv("AWS_SESSION_TOKEN", "PLANTED-aws-token")
			w.queueURL = strings.Replace(w.queueURL, "://", "://PLANTED-user:PLANTED-pass@", 1)
			if c.status != 0 {
				w.cluster.Fault = func(*http.Request) *standin.ClusterFault { return &standin.ClusterFault{Status: c.status} }
			}
			w.announce(3)
			sink := strings.NewReplacer("%s", w.servers["cluster"],
				"%u", strings.Replace(w.servers["cluster"], "://", "://PLANTED-user:PLANTED-pass@", 1)).Replace(c.sink)
			p := launch(t, w, sink, "log: {level: debug}\nshutdown: {timeout: 100ms}\n")
			said := pages(t, p.address, c.status == 0 && c.name == "key")
			p.signal(t, syscall.SIGTERM)
			p.code(t)
			said += p.stdout.String() + p.stderr.String()
			said += printed(t, p.cmd.Args[3])
			for line := range strings.Lines(said) {
				if strings.Contains(line, "PLANTED") {
					t.Errorf("a secret is shown: %s", line)
				}
			}
		})
	}
}

// pages asks the daemon everything once its sink has been tried.
func pages(t *testing.T, address string, well bool) string {
	t.Helper()
	var said bytes.Buffer
	eventually(t, "an answer about the sink", func() bool {
		status, err := ask(t.Context(), "http://"+address+"/status")
		said.WriteString(status)
		return err == nil && (strings.Contains(status, `"problem"`) || well && strings.Contains(status, `"indexed": 3`))
	})
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(&said, response.Body) //nolint:errcheck // into memory
		response.Body.Close()
	}
	return said.String()
}

// printed is what --print-config and the error of a broken copy of the file say.
func printed(t *testing.T, file string) string {
	t.Helper()
	good, err := exec.CommandContext(t.Context(), "trailship", "run", "--config", file, "--print-config").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, good)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Every key is unknown, in another place, or has a value of another kind.
	var said strings.Builder
	said.Write(good)
	for i, broken := range []string{
		strings.NewReplacer("urls", "urlz", "api_key", "api_kez", "password", "passwort", "queue_url", "queue").Replace(string(text)),
		strings.NewReplacer("[", "", "]", "", "region: eu-west-1", "region: '${CLUSTER_KEY} x'").Replace(string(text)),
		string(text) + "limits: {memory: '${CLUSTER_KEY}', in_flight: '${CLUSTER_KEY}'}\noutput: {index: '${CLUSTER_KEY}', retain: '${CLUSTER_KEY}'}\nserver: {listen: '${CLUSTER_KEY}'}\n",
		strings.ReplaceAll(string(text), "://", ":/"),
	} {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("broken%d.yaml", i))
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err = config.Load(path); err == nil || exitCode(err) != exitUsage {
			t.Errorf("a broken configuration is taken: %v\n%s", err, broken)
			continue
		}
		said.WriteString(err.Error() + "\n")
	}
	return said.String()
}
