import { LightningElement, api } from "lwc";
export default class RelayCard extends LightningElement { @api title; }
