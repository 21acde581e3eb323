package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const openSearchSettings = `cluster.name: bench
http.port: 0
http.host: 127.0.0.1
transport.port: 0
transport.host: 127.0.0.1
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
`

// bootOpenSearch starts the OpenSearch of the tests and returns its address. stop ends it and removes its data.
func bootOpenSearch(ctx context.Context) (address string, stop func(), err error) {
	cache := cmp.Or(os.Getenv("TRAILSHIP_TEST_CACHE"), ".cache/test")
	home, err := os.MkdirTemp("", "trailship-bench-opensearch-")
	if err != nil {
		return "", nil, err
	}
	settings := filepath.Join(home, "config", "opensearch.yml")
	if err = errors.Join(os.MkdirAll(filepath.Dir(settings), 0o700), os.WriteFile(settings, []byte(openSearchSettings), 0o600)); err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(cache, "jdk21", "bin", "java"), "-Xms768m", "-Xmx768m",
		"-cp", filepath.Join(cache, "opensearch", "jars", "*"), filepath.Join("test", "servers", "opensearch", "Node.java"), home)
	in, err := cmd.StdinPipe() // its end stops the server
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err = cmd.Start(); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(home))
	}
	stop = func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // its error is the kill
		_ = os.RemoveAll(home)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, port, ok := strings.Cut(lines.Text(), "listening on "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }() // so that the server can go on writing
			return "http://127.0.0.1:" + strings.TrimSpace(port), stop, nil
		}
	}
	stop()
	return "", nil, errors.New("it ended before it listened")
}
