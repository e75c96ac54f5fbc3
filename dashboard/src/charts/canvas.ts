/**
 * The only module that imports ECharts: what is registered here is what the bundle carries. It is a chunk of
 * its own, so that the numbers are there before the pictures.
 */
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use as register } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

register([LineChart, BarChart, GridComponent, TooltipComponent, CanvasRenderer]);

export { init };
