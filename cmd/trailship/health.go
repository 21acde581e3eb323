package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trailship/trailship/config"
)

// healthTimeout is how long a daemon may take to answer. Kubernetes and Docker give a probe more.
const healthTimeout = 4 * time.Second

const healthHelp = `health asks a running trailship whether it is alive and prints the answer. It exits with 0 when it is and 1 when it
is not or does not answer, which is what a container's HEALTHCHECK wants.

With --ready it asks whether the source and the sink can work at the moment instead. A daemon that is not ready is well:
it waits and tries again, and restarting it does not help.`

const healthExample = `  trailship health
  trailship health --ready --url http://10.0.0.7:9600
  trailship health --config /etc/trailship/trailship.yaml`

func newHealth() *cobra.Command {
	var url, file string
	var ready bool
	cmd := &cobra.Command{
		Use:     "health",
		Short:   "Ask a running trailship whether it is alive",
		Long:    healthHelp,
		Example: healthExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				cfg, err := config.Load(file)
				if err != nil {
					return err
				}
				if url, err = adminURL(cfg.Server.Listen); err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
			}
			path := "/healthz"
			if ready {
				path = "/readyz"
			}
			answer, err := ask(cmd.Context(), strings.TrimSuffix(url, "/")+path)
			if err != nil {
				return worked(err)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), answer)
			return worked(err)
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:9600", "where the daemon's server.listen can be reached")
	cmd.Flags().StringVar(&file, "config", "", "take server.listen of this configuration instead of --url")
	cmd.Flags().BoolVar(&ready, "ready", false, "ask for readiness instead of liveness")
	cmd.MarkFlagsMutuallyExclusive("url", "config")
	return cmd
}

// adminURL is where a server that listens on this address can be reached on the same machine.
func adminURL(listen string) (string, error) {
	if listen == "" {
		return "", errors.New("server.listen is empty, so that the daemon cannot be asked")
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("reading server.listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// ask returns what the daemon says of itself, as an error when it is not well. It goes past any proxy of the environment.
func ask(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("asking the daemon: %w", err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking the daemon: %w; is it running, and does its server.listen say this address?", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return "", fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s: %s", url, response.Status, strings.TrimSpace(string(answer)))
	}
	return string(answer), nil
}
