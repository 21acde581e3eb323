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
	st, err := emptyStage(ctx, sc)
	if err != nil {
		return nil, err
	}
	return st, st.startDaemon(ctx, s)
}

// emptyStage starts a stand-in.
func emptyStage(ctx context.Context, sc scene) (*stage, error) {
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
	st.dir, err = os.MkdirTemp("", "trailship-bench-")
	return st, err
}

const configText = `aws: {region: us-east-1, endpoint_url: %[1]q}
sources: {sqs: [{queue_url: "%[1]s/000000000000/` + queueName + `"%[5]s}]}
sinks: {%[3]s}
dead_letter: {directory: %[2]q}
limits: %[4]s
server: {listen: %[6]q}
`

// config is a daemon's that listens at an address, "" for none.
func (st *stage) config(s setting, listen string) []byte {
	sink, limits, visibility := s.sink, s.limits, ""
	if s.visibility != "" {
		visibility = ", visibility_timeout: " + s.visibility
	}
	if sink == "" {
		sink = fmt.Sprintf("elasticsearch: {urls: [%q]}", st.address+"/cluster")
	}
	if limits == "" {
		limits = "{}"
	}
	return fmt.Appendf(nil, configText, st.address, filepath.Join(st.dir, "dead"), sink, limits, visibility, listen)
}

func (st *stage) startDaemon(ctx context.Context, s setting) (err error) {
	st.daemon, err = st.start(ctx, s, "daemon", s.listen)
	return err
}

// start starts a daemon of that name.
func (st *stage) start(ctx context.Context, s setting, name, listen string) (*process, error) {
	file := filepath.Join(st.dir, name+".yaml")
	if err := os.WriteFile(file, st.config(s, listen), 0o600); err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, s.binary, "run", "--config", file)}
	p.cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_EC2_METADATA_DISABLED=true")
	log, err := os.OpenFile(filepath.Join(st.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Stderr = log
	p.started = time.Now()
	return p, p.cmd.Start()
}

// said is the end of the daemon's log, for whoever looks why a row failed.
func (st *stage) said() string {
	text, err := os.ReadFile(filepath.Join(st.dir, "daemon.log"))
	if err != nil {
		return err.Error()
	}
	const most = 4 << 10
	return string(text[max(0, len(text)-most):])
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
