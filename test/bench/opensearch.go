package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// openSearch drains objects of 53 records into a real server, and shows that the server is the limit: its CPU and ours, and
// where a request's time goes.
func openSearch(ctx context.Context, s setting) ([]figure, error) {
	if s.opensearch == "" {
		return nil, errors.New("there is no server: start one as test/servers does and write -opensearch http://127.0.0.1:9201")
	}
	node := server{strings.TrimSuffix(s.opensearch, "/")}
	if err := node.call(ctx, http.MethodDelete, "/logs-aws.cloudtrail-trailship-*", nil); err != nil {
		return nil, err
	}
	sc := s.scene(s.records/5, 53)
	sc.Forward = true
	s.sink = fmt.Sprintf("opensearch: {urls: [%q]}", node.url)
	st, err := newStage(ctx, s, sc)
	if err != nil {
		return nil, err
	}
	defer st.close()
	start, before, err := node.begin(ctx)
	if err != nil {
		return nil, err
	}
	records := sc.Objects * sc.PerObject
	for stored := 0; stored < records; {
		if stored, err = node.count(ctx); err != nil {
			return nil, err
		}
		if time.Since(start) > 5*time.Minute {
			return nil, fmt.Errorf("%d of %d records are stored after 5 minutes", stored, records)
		}
		if err = pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
	took, cpu, peak := time.Since(start), st.daemon.cpu(), st.daemon.peak()
	after, err := node.used(ctx)
	if err != nil {
		return nil, err
	}
	each := func(d time.Duration) string {
		return fmt.Sprintf("%.1f µs a record, %.0f %% of a core", d.Seconds()/float64(records)*1e6, d.Seconds()/took.Seconds()*100)
	}
	const name = "OpenSearch on the same machine: "
	return []figure{
		{name + "rate", fmt.Sprintf("%.0f records/s", float64(records)/took.Seconds()), "", true},
		{name + "CPU of the daemon", each(cpu), "", true},
		{name + "CPU of the server", each(after - before), "the limit", after-before > 2*cpu},
		{name + "resident memory", fmt.Sprintf("%.0f MiB", float64(peak)/mebibyte), "at most 128 MiB", peak <= 128*mebibyte},
	}, nil
}

// server is an OpenSearch of one node.
type server struct{ url string }

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
