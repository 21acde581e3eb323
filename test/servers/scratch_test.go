//go:build servers

package servers_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/trailship/trailship/sinks/cluster/lookup"
	"github.com/trailship/trailship/test/servers"
)

func TestScratch(t *testing.T) {
	c := &servers.Cluster{Name: os.Getenv("KIND"), URL: os.Getenv("URL"), Client: &http.Client{}}
	r := &rig{cluster: c, binary: os.Getenv("BIN")}
	_ = c.Do(t.Context(), "DELETE", "/"+indices, nil, nil)
	testHistory(t, r)
}

func BenchmarkScratch(b *testing.B) {
	c := &servers.Cluster{Name: os.Getenv("KIND"), URL: os.Getenv("URL"), Client: &http.Client{}}
	r := &rig{cluster: c}
	if os.Getenv("FILL") != "" {
		_ = c.Do(b.Context(), "DELETE", "/"+indices, nil, nil)
		r.fill(b, eventsToAsk(b))
	}
	benchmarkQuestions(b, lookup.New(transportTo(b, r.cluster), indices, ""))
}
