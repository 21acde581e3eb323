package enrich

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/time/rate"

	"github.com/trailship/trailship/pipeline/awsconfig"
)

// cloud is IAM by the AWS SDK.
type cloud struct {
	aws      *awsconfig.Loader
	limiter  *rate.Limiter // of calls that the desk does not make
	roleName string

	ownAccount  atomic.Pointer[string]
	identifying sync.Mutex

	mu      sync.Mutex
	clients map[string]*iam.Client // by account
}

func newCloud(loader *awsconfig.Loader, limiter *rate.Limiter, roleName string) *cloud {
	return &cloud{aws: loader, limiter: limiter, roleName: roleName, clients: map[string]*iam.Client{}}
}

// defaultRegion is where IAM is asked when no region is configured: it is one service for the whole partition.
const defaultRegion = "us-east-1"

func (c *cloud) config(role awsconfig.Role) aws.Config {
	region := c.aws.Region()
	if region == "" {
		region = defaultRegion
	}
	return c.aws.Config(region, role)
}

func (c *cloud) own() string {
	if id := c.ownAccount.Load(); id != nil {
		return *id
	}
	return ""
}

func (c *cloud) reaches(account []byte) bool {
	own := c.own()
	return c.roleName != "" || own == "" || own == string(account)
}

// identify finds out which account we are in. It needs no right. Source: STS API Reference, "GetCallerIdentity".
func (c *cloud) identify(ctx context.Context) error {
	c.identifying.Lock()
	defer c.identifying.Unlock()
	if c.own() != "" {
		return nil
	}
	out, err := sts.NewFromConfig(c.config(awsconfig.Role{})).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return fmt.Errorf("finding out our own account: %w", err)
	}
	c.ownAccount.Store(aws.String(aws.ToString(out.Account)))
	return nil
}

// client is the client for an account: our own identity in our own, the configured role in any other.
func (c *cloud) client(ctx context.Context, account, partition string) (*iam.Client, error) {
	if err := c.identify(ctx); err != nil {
		return nil, err
	}
	if !c.reaches([]byte(account)) {
		return nil, errUnreachable
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.clients[account]; known != nil {
		return known, nil
	}
	var role awsconfig.Role
	if account != c.own() {
		role.ARN = fmt.Sprintf("arn:%s:iam::%s:role/%s", partitionOr(partition), account, c.roleName)
	}
	client := iam.NewFromConfig(c.config(role), func(o *iam.Options) {
		o.RetryMaxAttempts = 1 // the desk decides when to ask again: a retry of the SDK's would not keep to its pace
		o.Retryer = aws.NopRetryer{}
	})
	c.clients[account] = client
	return client, nil
}

func partitionOr(partition string) string {
	if partition == "" {
		return "aws"
	}
	return partition
}

// lookup implements directory. One call tells path and tags.
func (c *cloud) lookup(ctx context.Context, p principal) (answer, error) {
	client, err := c.client(ctx, p.account, p.partition)
	if err != nil {
		return answer{}, err
	}
	var path *string
	var tags []types.Tag
	if p.kind == user {
		var out *iam.GetUserOutput
		if out, err = client.GetUser(ctx, &iam.GetUserInput{UserName: &p.name}); err == nil {
			path, tags = out.User.Path, out.User.Tags
		}
	} else {
		var out *iam.GetRoleOutput
		if out, err = client.GetRole(ctx, &iam.GetRoleInput{RoleName: &p.name}); err == nil {
			path, tags = out.Role.Path, out.Role.Tags
		}
	}
	if err != nil && missing(err) {
		return answer{}, nil
	}
	if err != nil {
		return answer{}, fmt.Errorf("asking IAM for the %s %s of account %s: %w", p.kind, p.name, p.account, err)
	}
	return answerOf(path, tags), nil
}

func answerOf(path *string, tags []types.Tag) answer {
	a := answer{Path: aws.ToString(path), Tags: make(map[string]string, len(tags))}
	if a.Path == "" {
		a.Path = "/"
	}
	for _, tag := range tags {
		a.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return a
}

// all implements directory: GetAccountAuthorizationDetails lists users and roles with their tags, many in one call.
func (c *cloud) all(ctx context.Context, account, partition string, turn func(context.Context) error, keep func(principal, answer) bool) error {
	client, err := c.client(ctx, account, partition)
	if err != nil {
		return err
	}
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(client, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeUser, types.EntityTypeRole}, MaxItems: aws.Int32(1000),
	})
	for pages.HasMorePages() {
		if err := turn(ctx); err != nil {
			return err
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing the users and roles of account %s: %w", account, err)
		}
		for _, u := range page.UserDetailList {
			p := principal{kind: user, partition: partition, account: account, name: aws.ToString(u.UserName)}
			if !keep(p, answerOf(u.Path, u.Tags)) {
				return nil
			}
		}
		for _, r := range page.RoleDetailList {
			p := principal{kind: role, partition: partition, account: account, name: aws.ToString(r.RoleName)}
			if !keep(p, answerOf(r.Path, r.Tags)) {
				return nil
			}
		}
	}
	return nil
}

// alias is our own account, as soon as that is known, and its alias, "" when it has none.
func (c *cloud) alias(ctx context.Context) (account, alias string, err error) {
	if err := c.identify(ctx); err != nil {
		return "", "", err
	}
	client, err := c.client(ctx, c.own(), "")
	if err == nil {
		err = c.limiter.Wait(ctx)
	}
	if err != nil {
		return c.own(), "", err
	}
	out, err := client.ListAccountAliases(ctx, &iam.ListAccountAliasesInput{})
	if err != nil {
		return c.own(), "", fmt.Errorf("asking IAM for the account's alias: %w", err)
	}
	if len(out.AccountAliases) > 0 {
		alias = out.AccountAliases[0]
	}
	return c.own(), alias, nil
}
