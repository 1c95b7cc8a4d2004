import time

from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException


class LightsOut:
    """Stops every running instance that carries a tag, and waits for it."""

    def __init__(self, client, region, sleep=time.sleep):
        self.client = client
        self.region = region
        self.sleep = sleep
        self.failed = {}

    def find(self, key, value):
        token = None
        while True:
            page = self.client.describe_instances(
                models.DescribeInstancesRequest(
                    region_id=self.region,
                    status='Running',
                    max_results=10,
                    next_token=token,
                    tag=[models.DescribeInstancesRequestTag(key=key, value=value)],
                )
            ).body
            yield from (each.instance_id for each in page.instances.instance)
            token = page.next_token
            if not token:
                return

    def stop(self, instance_id):
        try:
            self.client.stop_instance(models.StopInstanceRequest(instance_id=instance_id))
        except AlibabaCloudException as error:
            self.failed[instance_id] = error.code

    def status(self, instance_id):
        request = models.DescribeInstancesRequest(region_id=self.region, instance_ids=f'["{instance_id}"]')
        return self.client.describe_instances(request).body.instances.instance[0].status

    def run(self, key, value):
        stopped = []
        for instance_id in list(self.find(key, value)):
            self.stop(instance_id)
            if instance_id in self.failed:
                continue
            while self.status(instance_id) != 'Stopped':
                self.sleep(1)
            stopped.append(instance_id)
        return stopped
