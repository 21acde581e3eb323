// The resources of an event, with links to AWS's console where the name says which one it is.

import { button, element } from "./text.js";
import { worth } from "./values.js";
import { aim } from "./around.js";

const consoles = { aws: "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com" };
const arn = /^arn:(aws|aws-cn|aws-us-gov):([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:[\w+=,.@:/-]+$/;
const ec2 = { "AWS::EC2::Instance": "instance", "AWS::EC2::SecurityGroup": "security-group", "AWS::EC2::VPC": "vpc", "AWS::EC2::Subnet": "subnet", "AWS::EC2::Snapshot": "snapshot", "AWS::EC2::Volume": "volume", "AWS::EC2::NetworkInterface": "network-interface" };

// inConsole is a link to AWS's console, made from parts that are what they should be; null where they are not. A record's
// own links are never followed.
export function inConsole({ type, name }, { region, account }) {
  let full = name;
  if (ec2[type] && /^[a-z]+-[0-9a-f]{8,17}$/.test(name) && /^[a-z0-9-]+$/.test(region) && /^\d{12}$/.test(account)) {
    full = `arn:aws:ec2:${region}:${account}:${ec2[type]}/${name}`;
  } else if (type === "AWS::S3::Bucket" && /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
    full = `arn:aws:s3:::${name}`;
  }
  const parts = arn.exec(full);
  return parts && `https://${consoles[parts[1]]}/go/view?arn=${encodeURIComponent(full)}`;
}

const many = 100; // resources that are shown at once

export function resources(event) {
  const all = event.resources;
  const section = element("section", {}, element("h3", {}, `Resources (${all.length})`));
  if (all.length === 0) {
    section.append(element("p", { className: "none" }, "The record names no resource."));
    return section;
  }
  const list = element("ul", { className: "resources" });
  const add = (from) => {
    list.append(...all.slice(from, from + many).map((r) => item(r, event)));
    const left = all.length - from - many;
    if (left <= 0) return;
    const more = element("li", {}, button(`${left} more`, () => (more.remove(), add(from + many)), { className: "quiet" }));
    list.append(more);
  };
  add(0);
  section.append(list);
  return section;
}

function item(r, event) {
  const kind = r.type ? worth("resourceType", r.type) : element("span", { className: "none" }, "unknown type");
  const links = [element("a", { href: aim((to, only) => only("resourceName", r.name)) }, "Who else touched it")];
  const there = inConsole(r, event);
  if (there) links.push(element("a", { href: there, target: "_blank", rel: "noopener noreferrer" }, "AWS console ↗"));
  return element("li", {}, element("small", {}, kind), worth("resourceName", r.name), element("span", { className: "links" }, ...links));
}
