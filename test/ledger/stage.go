package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/trailship/trailship/test/standin"
)

// setting is what all rows share.
type setting struct {
	binary  string // the trailship under test
	stepped string // the same with a clock that is stepped; "": no row wants it
	seed    uint64
	scale   int    // how many times the short form's load and time
	logs    string // folder that keeps the output of the processes
}

// stage is one row's stand-in and daemons.
type stage struct {
	setting
	row     *row
	dir     string // configuration and output
	at      places
	standIn *exec.Cmd
	input   io.Closer     // ends the stand-in
	admins  []string      // addresses of the daemons' servers
	prefix  []string      // of the daemon's command line
	begun   chan struct{} // closed when the first message was announced
	signals atomic.Int64
	uneven  atomic.Int64 // scrapes at which records were missing from a daemon's counts
}

// standInEnv tells the program to be the stand-in of a row.
const standInEnv = "TRAILSHIP_LEDGER_STAND_IN"

// role is what standInEnv holds, as JSON.
type role struct {
	Row   string `json:"row"`
	Seed  uint64 `json:"seed"`
	Scale int    `json:"scale"`
	For   string `json:"for"`
}

// newStage starts the stand-in.
func newStage(ctx context.Context, s setting, r *row) (st *stage, err error) {
	st = &stage{setting: s, row: r, dir: filepath.Join(s.logs, r.name), begun: make(chan struct{})}
	if err = os.MkdirAll(st.dir, 0o755); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	st.standIn = exec.CommandContext(ctx, self)
	text, err := json.Marshal(role{Row: r.name, Seed: s.seed, Scale: s.scale, For: r.load.over.String()})
	if err != nil {
		return nil, err
	}
	st.standIn.Env = append(os.Environ(), standInEnv+"="+string(text))
	if st.input, err = st.standIn.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := st.standIn.StdoutPipe()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(st.dir, "stand-in.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	st.standIn.Stderr = log
	if err = st.standIn.Start(); err != nil {
		return nil, err
	}
	if err = json.NewDecoder(bufio.NewReader(out)).Decode(&st.at); err != nil {
		return nil, fmt.Errorf("starting the stand-in, whose output is in %s: %w", log.Name(), errors.Join(err, st.close()))
	}
	return st, st.configure(ctx)
}

const configText = `aws: {region: eu-west-1, endpoint_url: %q}
sources: {sqs: [{queue_url: %q, visibility_timeout: %s, buckets: [%s, %s, %s]}]}
sinks: {elasticsearch: {urls: [%q]}}
server: {listen: %q}
%s`

// configure writes the daemons' configurations, which differ in their server's address.
func (st *stage) configure(ctx context.Context) error {
	for n := range max(1, st.row.life.replicas) {
		if err := st.configureOne(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (st *stage) configureOne(ctx context.Context, n int) error {
	admin, err := standin.QuietAddress(ctx)
	if err != nil {
		return err
	}
	st.admins = append(st.admins, admin)
	visibility := 30 * time.Second
	if st.row.visibility > 0 {
		visibility = st.row.visibility
	}
	settings := st.row.settings
	if st.row.more.disk != "" {
		settings += fmt.Sprintf("dead_letter: {directory: %q}\n", st.disk())
	}
	text := fmt.Sprintf(configText, st.at.AWS, st.at.AWS+"/111122223333/"+queueName, visibility,
		goodBucket, badBucket, bigBucket, st.at.Cluster, admin, settings)
	return os.WriteFile(st.config(n), []byte(text), 0o600)
}

func (st *stage) config(n int) string { return filepath.Join(st.dir, fmt.Sprintf("config-%d.yaml", n)) }

// environ is the daemon's environment.
func (st *stage) environ() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true"}
	if st.row.more.credentials > 0 {
		return append(env, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+st.at.Control+"/keys")
	}
	return append(env, "AWS_ACCESS_KEY_ID=ledger", "AWS_SECRET_ACCESS_KEY=ledger")
}

// ask calls the stand-in's control and decodes the answer into out, unless that is nil.
func (st *stage) ask(ctx context.Context, path string, out any) error {
	if err := get(ctx, st.at.Control+path, out); err != nil {
		return fmt.Errorf("asking the stand-in: %w", err)
	}
	return nil
}

// weigh looks whether each record that a daemon has read is in its counts. A daemon that does not answer is being killed.
func (st *stage) weigh(ctx context.Context) {
	for _, admin := range st.admins {
		var status struct{ Records map[string]int64 }
		if get(ctx, "http://"+admin+"/status", &status) != nil {
			continue
		}
		rest := 2 * status.Records["read"]
		for _, n := range status.Records {
			rest -= n
		}
		if rest != 0 {
			st.uneven.Add(1)
		}
	}
}

// get asks for JSON and decodes it into out, unless that is nil.
func get(ctx context.Context, address string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// close ends the stand-in.
func (st *stage) close() error {
	_ = st.input.Close()
	if err := st.standIn.Wait(); err != nil {
		return fmt.Errorf("the stand-in ended badly, its output is in %s: %w", st.dir, err)
	}
	return nil
}
