package bulk_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/bulk"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

// TestOddAnswers: documents whose answer is missing, odd or cannot be told apart are unknown and sent again, and the
// duplicates that this finds count as stored.
func TestOddAnswers(t *testing.T) {
	cut := func(from, to string) func(string) string {
		return func(text string) string { return strings.Replace(text, from, to, 1) }
	}
	item := `{"create":{"_index":"` + sinktest.Index + `","status":201}}`
	cases := []struct {
		name   string
		change func(text string) string
	}{
		{"one item too few", cut(item+",", "")},
		{"one item too many", cut("[", "["+item+",")},
		{"no items", func(string) string { return `{"errors":false,"took":1,"items":[]}` }},
		{"no list of items", func(string) string { return `{"errors":false,"took":1}` }},
		{"an item of another form", cut(item, `"created"`)},
		{"an item without a status", cut(`"status":201`, `"result":"created"`)},
		{"a status that is text", cut(`"status":201`, `"status":"201"`)},
		{"cut short", func(text string) string { return text[:len(text)-2] }},
		{"two answers", func(text string) string { return text + text }},
		{"nothing", func(string) string { return "" }},
		{"HTML", func(string) string { return "<!doctype html><title>Sign in</title>" }},
		{"null", func(string) string { return "null" }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &standin.Cluster{}
				var requests atomic.Int32
				r := open(t, c, answering(c, func(text string) string {
					if requests.Add(1) > 1 {
						return text
					}
					return tc.change(text)
				}))
				got := r.write(t, 1, "w", 5)
				if got[pipeline.Indexed]+got[pipeline.Duplicate] != 5 || got[pipeline.Duplicate] == 0 {
					t.Errorf("got %v, want 5 stored, some of them found to be there", got)
				}
				if c.Count() != 5 || requests.Load() != 2 {
					t.Errorf("got %d documents and %d requests, want 5 and 2", c.Count(), requests.Load())
				}
			})
		})
	}
}

// TestRetryAfter_allWait: a cluster that asks for a pause gets one, from every request.
func TestRetryAfter_allWait(t *testing.T) {
	for _, status := range []int{429, 503} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			c := &standin.Cluster{}
			var early atomic.Int32
			var first atomic.Bool
			c.Fault = func(r *http.Request) *standin.ClusterFault {
				if !strings.HasSuffix(r.URL.Path, "_bulk") {
					return nil
				}
				if !first.Swap(true) {
					return &standin.ClusterFault{Status: status, RetryAfter: "7"}
				}
				if time.Since(start) < 7*time.Second {
					early.Add(1)
				}
				return nil
			}
			r := open(t, c)
			var all sync.WaitGroup
			all.Go(func() { r.write(t, 1, "first", 3) })
			time.Sleep(time.Second)
			all.Go(func() { r.write(t, 2, "second", 3) })
			all.Wait()
			if n := early.Load(); n > 0 || c.Count() != 6 {
				t.Errorf("%d: got %d requests within the pause and %d documents, want none and 6", status, n, c.Count())
			}
		})
	}
}

// TestCoordinating: a cluster without memory for a whole request gets smaller ones, down to one document, whether it says
// how much it has or not; and larger ones again when it has more.
func TestCoordinating(t *testing.T) {
	cases := []struct{ name, numbers string }{
		{"for good", "coordinating_operation_bytes=9999, max_coordinating_and_primary_bytes=4000"},
		{"at the moment", "coordinating_operation_bytes=999, max_coordinating_and_primary_bytes=4000"},
		{"without numbers", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &standin.Cluster{}
				var single atomic.Bool // the cluster has room for one document only
				single.Store(true)
				r := open(t, c, func(o *bulk.Options) {
					o.Transport = perform(func(req *http.Request) (*http.Response, error) {
						body, _ := io.ReadAll(req.Body)
						if single.Load() && lines(t, body) > 2 {
							return respond(429, fmt.Sprintf(`{"error":{"type":"es_rejected_execution_exception","reason":"rejected execution of coordinating operation [%s]"},"status":429}`, tc.numbers)), nil
						}
						req.Body = io.NopCloser(bytes.NewReader(body))
						return inside{c}.Perform(req)
					})
				})
				if got := r.write(t, 1, "w", 40); got[pipeline.Indexed] != 40 {
					t.Errorf("got %v, want 40 indexed", got)
				}
				low := r.Cut()
				single.Store(false)
				for i := range 300 {
					r.write(t, 2, fmt.Sprint("later", i), 100)
					time.Sleep(time.Minute)
				}
				if got := r.Cut(); low > 20_000 || got < 10*low {
					t.Errorf("limit: %d, and %d when there is room again, want it to grow back", low, got)
				}
			})
		})
	}
}

// TestFailureStore: what a data stream could not index and put aside is counted, and is no stored document.
func TestFailureStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &standin.Cluster{}
		r := open(t, c, func(o *bulk.Options) {
			o.DataStream, o.Creator = true, nil
			o.Transport = perform(func(req *http.Request) (*http.Response, error) {
				body, _ := io.ReadAll(req.Body)
				var items []string
				for range lines(t, body) / 2 {
					items = append(items, `{"create":{"_index":".ds-logs-x-2026.11.21-000001","status":201}}`)
				}
				items[0] = `{"create":{"_index":".fs-logs-x-2026.11.21-000002","status":201,"failure_store":"used"}}`
				return respond(200, `{"errors":false,"items":[`+strings.Join(items, ",")+`]}`), nil
			})
		})
		got := r.write(t, 1, "w", 5)
		if got[pipeline.Indexed] != 4 || got[pipeline.Refused] != 1 {
			t.Errorf("got %v, want 4 indexed and the one in the failure store refused", got)
		}
		if n := r.metric(t, "trailship_bulk_failure_store_total"); n != 2 {
			t.Errorf("counted %v times, want both of its tries", n)
		}
	})
}

// lines is how many lines a compressed body has.
func lines(t *testing.T, body []byte) int {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Error(err)
	}
	return bytes.Count(text, []byte{'\n'})
}

// answering makes the engine's answers what change makes of the cluster's.
func answering(c *standin.Cluster, change func(text string) string) func(*bulk.Options) {
	return func(o *bulk.Options) {
		o.Transport = perform(func(req *http.Request) (*http.Response, error) {
			resp, err := inside{c}.Perform(req)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(strings.NewReader(change(string(text))))
			return resp, nil
		})
	}
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// metric is the sum of a counter's or gauge's values.
func (r *rig) metric(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}
