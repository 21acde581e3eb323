package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/trailship/trailship/web"
)

// The demo's page answers until Ctrl-C, and a second demo says that its address is taken.
func TestDemo_page(t *testing.T) {
	for name := range demoEnvironment("") {
		t.Setenv(name, "") // the demo sets it for its process, and the test must put it back
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	shown, err := listenForPage(ctx, web.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listenForPage(ctx, web.Config{Listen: shown.listener.Addr().String()}); err == nil || !strings.Contains(err.Error(), "port 0") {
		t.Errorf("a taken address: got %v, want what to do", err)
	}
	out, to := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- demonstrate(ctx, shown, to, io.Discard) }()

	var url string
	for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
		url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(lines.Text())
	}
	for path, want := range map[string]string{"/": "<title>", "/api/events?f=eventName:ConsoleLogin": "anaya"} {
		status, text := getPage(t, url+path)
		if status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: got %d, want %q in it", path, status, want)
		}
	}
	interrupt()
	if err := <-done; err != nil {
		t.Errorf("the demo ends with %v", err)
	}
}

func getPage(t *testing.T, url string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
