trigger WorkshopTrigger on Workshop__c (before insert) { }
