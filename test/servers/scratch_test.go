//go:build servers

package servers_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/trailship/trailship/test/servers"
)

func TestScratch(t *testing.T) {
	c := &servers.Cluster{Name: os.Getenv("KIND"), URL: os.Getenv("URL"), Client: &http.Client{}}
	r := &rig{cluster: c, binary: os.Getenv("BIN")}
	_ = c.Do(t.Context(), "DELETE", "/"+indices, nil, nil)
	testHistory(t, r)
}
