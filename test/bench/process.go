package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a child process whose CPU and memory are measured through /proc.
type process struct {
	cmd     *exec.Cmd
	started time.Time
}

// cpu is the CPU time that the process has used so far.
func (p *process) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	const user, system, ticks = 11, 12, 100 // positions behind the name; USER_HZ
	u, _ := strconv.Atoi(fields[user])
	s, _ := strconv.Atoi(fields[system])
	return time.Duration(u+s) * time.Second / ticks
}

// peak is the largest resident memory that the process has had, in bytes.
func (p *process) peak() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kib << 10
}

// stop sends SIGTERM and returns how long the process took to end. It is an error when it does not end well.
func (p *process) stop() (time.Duration, error) {
	start := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	err := p.cmd.Wait()
	return time.Since(start), err
}

// stage is the stand-in and the daemon over it.
type stage struct {
	standIn, daemon *process
	address         string
	dir             string
}

// newStage starts a stand-in with its queue full, and then the daemon.
func newStage(ctx context.Context, s setting, sc scene) (*stage, error) {
	st := &stage{}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(sc)
	if err != nil {
		return nil, err
	}
	st.standIn = &process{cmd: exec.CommandContext(ctx, self, "-stand-in", string(text))}
	out, err := st.standIn.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	st.standIn.cmd.Stderr = os.Stderr
	if err = st.standIn.cmd.Start(); err != nil {
		return nil, err
	}
	if st.address, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		return nil, fmt.Errorf("starting the stand-in: %w", err)
	}
	st.address = strings.TrimSpace(st.address)
	if st.dir, err = os.MkdirTemp("", "trailship-bench-"); err != nil {
		return nil, err
	}
	return st, st.startDaemon(ctx, s)
}

const configText = `aws: {region: us-east-1, endpoint_url: %[1]q}
sources: {sqs: [{queue_url: "%[1]s/000000000000/` + queueName + `"}]}
sinks: {%[3]s}
dead_letter: {directory: %[2]q}
limits: %[4]s
server: {listen: ""}
`

// config is the daemon's.
func (st *stage) config(s setting) []byte {
	sink, limits := s.sink, s.limits
	if sink == "" {
		sink = fmt.Sprintf("elasticsearch: {urls: [%q]}", st.address+"/cluster")
	}
	if limits == "" {
		limits = "{}"
	}
	return fmt.Appendf(nil, configText, st.address, filepath.Join(st.dir, "dead"), sink, limits)
}

func (st *stage) startDaemon(ctx context.Context, s setting) error {
	file := filepath.Join(st.dir, "config.yaml")
	if err := os.WriteFile(file, st.config(s), 0o600); err != nil {
		return err
	}
	st.daemon = &process{cmd: exec.CommandContext(ctx, s.binary, "run", "--config", file)}
	st.daemon.cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_EC2_METADATA_DISABLED=true")
	log, err := os.Create(filepath.Join(st.dir, "daemon.log"))
	if err != nil {
		return err
	}
	st.daemon.cmd.Stderr = log
	st.daemon.started = time.Now()
	return st.daemon.cmd.Start()
}

// tally asks the stand-in what it has seen.
func (st *stage) tally(ctx context.Context) (t tally, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, st.address+"/tally", nil)
	if err != nil {
		return t, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return t, err
	}
	defer res.Body.Close()
	return t, json.NewDecoder(res.Body).Decode(&t)
}

// close ends what still runs and removes the files.
func (st *stage) close() {
	for _, p := range []*process{st.daemon, st.standIn} {
		if p != nil && p.cmd.Process != nil && p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	}
	if st.dir != "" {
		_ = os.RemoveAll(st.dir)
	}
}
