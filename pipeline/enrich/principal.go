package enrich

import (
	"bytes"
	"strings"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// kind is what IAM knows a principal as.
type kind uint8

const (
	user kind = iota
	role
)

func (k kind) String() string { return [...]string{"user", "role"}[k] }

// named is the name in an ARN's resource of this kind: user/PATH/NAME; nothing in any other.
func (k kind) named(resource []byte) []byte {
	what, path, _ := bytes.Cut(resource, []byte("/"))
	if string(what) != k.String() {
		return nil
	}
	return path[bytes.LastIndexByte(path, '/')+1:]
}

// principal is a user or a role of IAM. view is the same as views into a record.
type principal struct {
	kind          kind
	partition     string // aws, aws-cn, aws-us-gov, …
	account, name string
}

type view struct {
	kind               kind
	partition          []byte
	account, name, arn []byte
}

func (v view) own() principal {
	return principal{kind: v.kind, partition: string(v.partition), account: string(v.account), name: string(v.name)}
}

// identity is what of a userIdentity says who the principal is.
type identity struct {
	typ, userName, account, arn []byte
	issuer                      struct{ typ, userName, account, arn []byte }
}

// principal finds the user or role behind a record: an IAM user itself, the role of a session, the issuer of a federated
// user. There is none for the root user, AWS services, other accounts, users of identity providers, and names that
// CloudTrail hides. Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element".
func (d *identity) principal() (v view, ok bool) {
	switch string(d.typ) {
	case "IAMUser":
		v = view{kind: user, account: d.account, name: d.userName, arn: d.arn}
	case "AssumedRole", "Role":
		v = d.assumed()
	case "FederatedUser":
		v = view{kind: user, account: d.issuer.account, name: d.issuer.userName, arn: d.issuer.arn}
		if string(d.issuer.typ) == "Role" {
			v.kind = role
		}
		if typ := string(d.issuer.typ); typ != "IAMUser" && typ != "Role" {
			return v, false
		}
	default:
		return v, false
	}
	return v.settle(d.account)
}

// settle fills in what the record leaves to the ARN, and reports whether IAM can be asked.
func (v view) settle(account []byte) (view, bool) {
	partition, owner, resource := splitARN(v.arn)
	v.partition = partition
	if len(v.account) == 0 {
		v.account = owner
	}
	if len(v.account) == 0 {
		v.account = account
	}
	if len(v.name) == 0 {
		v.name = v.kind.named(resource)
	}
	return v, isAccount(v.account) && isName(v.name)
}

// assumed is the role behind a session: its issuer, or where that is missing what the session's own ARN says:
// arn:aws:sts::111122223333:assumed-role/ROLE/SESSION, or that of the role itself.
func (d *identity) assumed() view {
	v := view{kind: role, account: d.issuer.account, name: d.issuer.userName, arn: d.issuer.arn}
	if _, _, resource := splitARN(v.arn); len(v.name) > 0 || len(v.kind.named(resource)) > 0 {
		return v
	}
	_, owner, resource := splitARN(d.arn)
	v.account, v.arn, v.name = owner, d.arn, v.kind.named(resource)
	if rest, ok := bytes.CutPrefix(resource, []byte("assumed-role/")); ok {
		v.name, _, _ = bytes.Cut(rest, []byte("/"))
	}
	return v
}

func (d *identity) read(v cloudtrail.Value) {
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "type":
			d.typ = m.Text()
		case "userName":
			d.userName = m.Text()
		case "accountId":
			d.account = m.Text()
		case "arn":
			d.arn = m.Text()
		case "sessionContext":
			d.readIssuer(m.Get("sessionIssuer"))
		}
	}
}

func (d *identity) readIssuer(v cloudtrail.Value) {
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "type":
			d.issuer.typ = m.Text()
		case "userName":
			d.issuer.userName = m.Text()
		case "accountId":
			d.issuer.account = m.Text()
		case "arn":
			d.issuer.arn = m.Text()
		}
	}
}

// splitARN takes arn:partition:service:region:account:resource apart.
func splitARN(arn []byte) (partition, account, resource []byte) {
	rest, ok := bytes.CutPrefix(arn, []byte("arn:"))
	if !ok {
		return nil, nil, nil
	}
	partition, rest, _ = bytes.Cut(rest, []byte(":"))
	_, rest, _ = bytes.Cut(rest, []byte(":")) // service
	_, rest, _ = bytes.Cut(rest, []byte(":")) // region
	account, resource, _ = bytes.Cut(rest, []byte(":"))
	return partition, account, resource
}

// isName reports whether IAM could have a user or role of this name. Source: IAM User Guide, "IAM and AWS STS quotas".
// What CloudTrail writes when it hides a name has the form of one.
func isName(name []byte) bool {
	if len(name) == 0 || len(name) > 64 || string(name) == "HIDDEN_DUE_TO_SECURITY_REASONS" {
		return false
	}
	for _, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("_+=,.@-", c) < 0 {
			return false
		}
	}
	return true
}

// changed names the principal whose tags, path or existence an IAM event changes. Source: IAM API Reference, "Actions".
// The name of a service-linked role is IAM's own choice: only the answer says it.
func changed(r *cloudtrail.Record) (v view, newName []byte, ok bool) {
	if !r.Field(cloudtrail.EventSource).Is("iam.amazonaws.com") || r.Field(cloudtrail.ErrorCode).Exists() {
		return v, nil, false
	}
	request, key := r.Field(cloudtrail.RequestParameters), "userName"
	switch string(r.Field(cloudtrail.EventName).Text()) {
	case "TagUser", "UntagUser", "CreateUser", "DeleteUser", "UpdateUser":
	case "TagRole", "UntagRole", "CreateRole", "DeleteRole", "DeleteServiceLinkedRole":
		v.kind, key = role, "roleName"
	case "CreateServiceLinkedRole":
		v.kind, key = role, "roleName"
		request = r.Field(cloudtrail.ResponseElements).Get("role")
	default:
		return v, nil, false
	}
	v.account, v.name = r.Field(cloudtrail.RecipientAccountID).Text(), request.Get(key).Text()
	return v, request.Get("newUserName").Text(), isAccount(v.account) && isName(v.name)
}
