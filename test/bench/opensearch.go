package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// openSearch drains objects of 53 records into a real server, and shows that the server is the limit: its CPU and ours, and
// that requests wait in the server.
func openSearch(ctx context.Context, s setting) ([]figure, error) {
	if s.opensearch == "" {
		var stop func()
		var err error
		if s.opensearch, stop, err = bootOpenSearch(ctx); err != nil {
			return nil, fmt.Errorf("starting OpenSearch (test/servers/install fetches it): %w", err)
		}
		defer stop()
	}
	node := server{strings.TrimSuffix(s.opensearch, "/")}
	if err := node.clear(ctx); err != nil {
		return nil, err
	}
	sc := s.scene(s.records/5, 53)
	sc.Forward = true
	s.sink = fmt.Sprintf("opensearch: {urls: [%q]}", node.url)
	var err error
	if s.listen, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	st, err := newStage(ctx, s, sc)
	if err != nil {
		return nil, err
	}
	defer st.close()
	return st.watch(ctx, node, s.listen, sc.Objects*sc.PerObject)
}

// watch looks at the server and the daemon every second until every record is stored.
func (st *stage) watch(ctx context.Context, node server, listen string, records int) ([]figure, error) {
	start, before, err := node.begin(ctx)
	if err != nil {
		return nil, err
	}
	var all, one load
	looks, busy := 0.0, machine()
	for stored := 0; stored < records; {
		if stored, err = node.count(ctx); err != nil {
			return nil, err
		}
		if one, err = node.load(ctx); err != nil {
			return nil, err
		}
		if now, err := statusOf(ctx, listen); err == nil && stored > 0 {
			looks++
			all.active, all.queue, all.threads = all.active+one.active, all.queue+one.queue, one.threads
			all.requests += now.Parts.Sink.Figures["requests_in_flight"]
			all.waiting += now.Parts.Sink.Figures["documents_waiting"]
		}
		if time.Since(start) > 5*time.Minute {
			return nil, fmt.Errorf("%d of %d records are stored after 5 minutes; the daemon says:\n%s", stored, records, st.said())
		}
		if err = pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
	idle := machine().since(busy)
	took, cpu, peak := time.Since(start), st.daemon.cpu(), st.daemon.peak()
	after, err := node.used(ctx)
	if err != nil {
		return nil, err
	}
	each := func(d time.Duration) string {
		return fmt.Sprintf("%.1f µs a record, %.0f %% of a core", d.Seconds()/float64(records)*1e6, d.Seconds()/took.Seconds()*100)
	}
	const name = "OpenSearch on the same machine: "
	looks = max(looks, 1)
	return []figure{
		{name + "rate", fmt.Sprintf("%.0f records/s", float64(records)/took.Seconds()), "", true},
		{name + "CPU of the daemon", each(cpu), "", true},
		{name + "CPU of the server", each(after - before), "more than twice the daemon's", after-before > 2*cpu},
		{name + "CPU of the machine", idle, "", true},
		{name + "bulk requests that the daemon has sent and waits for", fmt.Sprintf("%.1f", all.requests/looks), "", true},
		{
			name + "of these at work in the server", fmt.Sprintf("%.1f, on %.0f write threads", all.active/looks, all.threads),
			"nearly all threads", all.active/looks >= 0.8*all.threads,
		},
		{name + "and waiting in the server for a thread", fmt.Sprintf("%.1f", all.queue/looks), "more than 0.5", all.queue/looks > 0.5},
		{name + "documents waiting in the daemon", fmt.Sprintf("%.0f", all.waiting/looks), "", true},
		{name + "resident memory", fmt.Sprintf("%.0f MiB", float64(peak)/mebibyte), "at most 128 MiB", peak <= 128*mebibyte},
	}, nil
}

// ticks is what the machine's CPUs have done so far, in units of its own.
type ticks struct{ busy, idle, disk float64 }

// machine reads /proc/stat (proc_stat(5)).
func machine() (t ticks) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var user, nice, system float64
	if _, err = fmt.Sscanf(line, "cpu %f %f %f %f %f", &user, &nice, &system, &t.idle, &t.disk); err != nil {
		return ticks{}
	}
	t.busy = user + nice + system
	return t
}

func (t ticks) since(before ticks) string {
	busy, idle, disk := t.busy-before.busy, t.idle-before.idle, t.disk-before.disk
	part := 100 / max(busy+idle+disk, 1)
	return fmt.Sprintf("%.0f %% busy, %.0f %% waiting for the disk", busy*part, disk*part)
}

// load is what the server and the daemon are at, added up over looks.
type load struct{ active, queue, threads, requests, waiting float64 }

// load is how many of the server's write threads are at work, and how many writes wait for one.
func (n server) load(ctx context.Context) (l load, err error) {
	var answer struct {
		Nodes map[string]struct {
			Pools struct {
				Write struct{ Active, Queue, Threads float64 } `json:"write"`
			} `json:"thread_pool"`
		} `json:"nodes"`
	}
	err = n.call(ctx, http.MethodGet, "/_nodes/stats/thread_pool", &answer)
	for _, node := range answer.Nodes {
		l.active += node.Pools.Write.Active
		l.queue += node.Pools.Write.Queue
		l.threads += node.Pools.Write.Threads
	}
	return l, err
}

// server is an OpenSearch of one node.
type server struct{ url string }

// clear removes what an earlier run has left, as soon as the server answers.
func (n server) clear(ctx context.Context) error {
	deadline := time.Now().Add(time.Minute)
	for {
		err := n.call(ctx, http.MethodDelete, "/logs-aws.cloudtrail-trailship-*", nil)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if err = pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// begin is now, and the CPU time that the server has used so far.
func (n server) begin(ctx context.Context) (time.Time, time.Duration, error) {
	used, err := n.used(ctx)
	return time.Now(), used, err
}

// used is the CPU time that the server's process has used.
func (n server) used(ctx context.Context) (time.Duration, error) {
	var answer struct {
		Nodes map[string]struct {
			Process struct {
				CPU struct {
					Total int64 `json:"total_in_millis"`
				} `json:"cpu"`
			} `json:"process"`
		} `json:"nodes"`
	}
	if err := n.call(ctx, http.MethodGet, "/_nodes/stats/process", &answer); err != nil {
		return 0, err
	}
	var sum int64
	for _, node := range answer.Nodes {
		sum += node.Process.CPU.Total
	}
	return time.Duration(sum) * time.Millisecond, nil
}

// count is how many records are stored, refreshed or not.
func (n server) count(ctx context.Context) (int, error) {
	var answer struct {
		All struct {
			Primaries struct {
				Indexing struct {
					Total int `json:"index_total"`
				} `json:"indexing"`
			} `json:"primaries"`
		} `json:"_all"`
	}
	err := n.call(ctx, http.MethodGet, "/logs-aws.cloudtrail-trailship-*/_stats/indexing", &answer)
	return answer.All.Primaries.Indexing.Total, err
}

func (n server) call(ctx context.Context, method, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, n.url+path, http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusMultipleChoices && res.StatusCode != http.StatusNotFound {
		return fmt.Errorf("asking %s: %s", path, res.Status)
	}
	if into == nil || res.StatusCode == http.StatusNotFound {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}
