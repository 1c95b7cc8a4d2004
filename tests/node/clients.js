// What a morning and an evening need, through the clients for Node.js; prints what each step gave, as JSON.
"use strict";
const { RPCClient } = require("@alicloud/pop-core");
const { default: Ecs, ...models } = require("@alicloud/ecs20140526");
const { $OpenApiUtil } = require("@alicloud/openapi-core");

const [host, stopped] = process.argv.slice(2);
const key = { accessKeyId: "emulator", accessKeySecret: "emulator" };
const RegionId = "cn-hangzhou";

async function codeOf(call) {
    try {
        await call;
        return "none";
    } catch (error) {
        return error.code;
    }
}

async function popCore() {
    const client = new RPCClient({ ...key, endpoint: `http://${host}`, apiVersion: "2014-05-26" });
    const list = async (more, options) =>
        (await client.request("DescribeInstances", { RegionId, ...more }, options)).Instances.Instance.map((one) => one.InstanceId);
    const post = { method: "POST" };
    return {
        regions: (await client.request("DescribeRegions", {})).Regions.Region.map((one) => one.RegionId).includes(RegionId),
        byGet: await list({}),
        byPost: await list({ PageSize: 1, PageNumber: 2 }, post),
        byTag: await list({ "Tag.1.Key": "env", "Tag.1.Value": "dev" }, post),
        stop: typeof (await client.request("StopInstance", { InstanceId: "i-a", ForceStop: true }, post)).RequestId,
        start: typeof (await client.request("StartInstance", { InstanceId: stopped }, post)).RequestId,
        error: await codeOf(client.request("StopInstance", { InstanceId: "i-no" }, post)),
    };
}

async function typescriptSdk() {
    const client = new Ecs(new $OpenApiUtil.Config({ ...key, endpoint: host, protocol: "http", regionId: RegionId }));
    const list = async (more) =>
        (await client.describeInstances(new models.DescribeInstancesRequest({ regionId: RegionId, ...more }))).body.instances.instance.map(
            (one) => one.instanceId,
        );
    const several = new models.StopInstancesRequest({ regionId: RegionId, instanceId: ["i-b", "i-no"], batchOptimization: "SuccessFirst" });
    return {
        regions: (await client.describeRegions(new models.DescribeRegionsRequest({}))).body.regions.region.length > 1,
        all: await list({}),
        byTag: await list({ tag: [new models.DescribeInstancesRequestTag({ key: "env", value: "dev" })] }),
        stops: (await client.stopInstances(several)).body.instanceResponses.instanceResponse.map((one) => one.code),
        reboot: typeof (await client.rebootInstance(new models.RebootInstanceRequest({ instanceId: "i-c" }))).body.requestId,
        error: await codeOf(client.stopInstance(new models.StopInstanceRequest({ instanceId: "i-no" }))),
    };
}

(async () => console.log(JSON.stringify({ popCore: await popCore(), typescriptSdk: await typescriptSdk() })))();
